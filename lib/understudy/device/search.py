"""Kaldi's decoder over a graph of senones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import kaldifst  # before kaldi_hmm_gmm, which hangs otherwise

import kaldi_hmm_gmm  # isort: skip
import numpy as np

from .best_path import RETRIES, Beams, Best, OutputWords, Scores
from .decoding_graph import DecodingGraph, as_fst
from .errors import DeviceError
from .openfst import read_fst, to_bytes


class Graph(OutputWords):
    """A decoding graph, and what its output numbers mean."""

    def __init__(self, path: Path, words: list[str], base: int, sequences: list[list[int]], senones: int) -> None:
        """Load a graph.fst.

        Args:
            words: text of each word id.
            base: numbers from here on stand for `sequences` of words.
            senones: how many the network has; their labels begin at 1.

        Raises:
            DeviceError: the file cannot be read, or refers to senones or words that do not exist.
        """
        super().__init__(words, base, sequences)
        _check(path, senones, base, len(sequences))
        if not self.of_real_words():
            raise DeviceError(f"{path}: has sequences of more than the {len(words)} words. Copy the folder again.")
        read = kaldifst.StdVectorFst.read(str(path))
        if read is None or read.start < 0:
            raise DeviceError(f"{path}: cannot be read. Export the graph again.")
        self.fst = kaldifst.StdConstFst(read)  # a StdConstFst is searched faster, but kaldifst cannot read one

    @classmethod
    def of(cls, graph: DecodingGraph, words: list[str], senones: int) -> Graph:
        """Load a graph that is in memory."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.fst"
            path.write_bytes(to_bytes(as_fst(graph)))
            return cls(path, words, graph.sequence_base, [list(of) for of in graph.word_sequences], senones)

    def search(self, beams: Beams) -> Search:
        """Begin the search of an utterance."""
        return Search(self, beams)


def _check(path: Path, senones: int, base: int, sequences: int) -> None:
    """Check the labels and outputs, which the decoder does not: it would read scores of other frames, or beyond all."""
    try:
        arcs = read_fst(path).arcs
    except (OSError, ValueError) as error:
        raise DeviceError(f"{path}: cannot be read ({error}). Export the graph again.") from None
    for column, what, most in ((0, "senone", senones), (1, "word", base + sequences - 1)):
        least, largest = (int(bound(arcs[:, column], initial=0)) for bound in (np.min, np.max))
        if least < 0 or largest > most:
            raise DeviceError(
                f"{path}: has arcs of {what} {largest if least >= 0 else least}, and there are {most}. "
                "Export network and graph from one recipe."
            )


class Search:
    """The search of one utterance."""

    def __init__(self, graph: Graph, beams: Beams) -> None:
        self._graph, self._beams = graph, beams
        self._decoder = _decoder(graph, beams)
        self._scores = Scores()
        self.widened = False
        """whether no path to an end of the graph was found at first"""

    def __call__(self, scores: np.ndarray) -> None:
        """Search on with (frames, senones) more scores."""
        if not len(scores):
            return
        self._scores.add(scores)
        # This "CTC" is nothing but a matrix of scores with labels from 1.
        self._decoder.advanced_decoding(kaldi_hmm_gmm.DecodableCtc(self._scores.all))

    @property
    def scores(self) -> np.ndarray:
        """Scores of all frames so far, (frames, senones)."""
        return self._scores.all

    def so_far(self) -> Best | None:
        """Return the best path to an end of the graph, or to any state if it reaches none; None: no path is left."""
        return _best(self._decoder, False) if self._scores.frames else Best([], [])

    def finish(self) -> Best | None:
        """Return the best path to an end of the graph. If there is none, beams are doubled, twice; None: still none."""
        decoder, beams = self._decoder, self._beams
        for _ in range(RETRIES):
            if not self._scores.frames or decoder.reached_final():
                break
            beams, self.widened = beams.wider(), True
            decoder = _decoder(self._graph, beams)
            decoder.advanced_decoding(kaldi_hmm_gmm.DecodableCtc(self._scores.all))
        if not self._scores.frames:
            return Best([], [])
        return _best(decoder, True) if decoder.reached_final() else None


def _decoder(graph: Graph, beams: Beams) -> Any:
    options = kaldi_hmm_gmm.FasterDecoderOptions()
    options.beam, options.min_active, options.max_active = beams
    decoder = kaldi_hmm_gmm.FasterDecoder(graph.fst, options)
    decoder.init_decoding()
    return decoder


def _best(decoder: Any, final: bool) -> Best | None:
    found, path = decoder.get_best_path(final)
    if not found:
        return None
    _, labels, words, _ = kaldifst.get_linear_symbol_sequence(path)
    return Best([label - 1 for label in labels], list(words))
