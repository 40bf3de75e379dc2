"""A recogniser on a device: a folder of stage 12, audio in, words out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .alternatives import Alternatives
from .best_path import Beams, Best
from .confidence import ALL_TAKEN, Rules
from .decoding_graph import DecodingGraph, of_fst
from .endpointing import EndpointOptions, Event, events
from .errors import DeviceError
from .features import FrontEnd
from .files import Files
from .mapped import MappedGraph
from .net import ArrayNet, Net
from .network import Network
from .openfst import read_fst
from .places import Places
from .wishes import NONE, Wishes
from .word_confidence import Calibration, shares

if TYPE_CHECKING:  # all of these import OpenFst, which a mapped graph does not need
    from .keywords import Hit, Keywords
    from .search import Graph

LATTICE_BEAM = 6.0
"""nats; for folders that state none"""


@dataclass(frozen=True)
class Heard:
    """What was recognised in an utterance."""

    words: list[str]
    seconds: float
    empty: bool = False
    """whether the search found no path through its graph: nothing is known of what was said"""
    confidence: float | None = None
    """see `confidence.confidence`; None: no words were found"""
    why: str = ""
    """why words that were found are rejected; empty: none are"""
    sure: list[float] | None = None
    """the probability that each word is right, where asked for"""
    hits: list[Hit] | None = None
    """the keywords, where a recogniser spots them: their texts are the words"""

    @property
    def rejected(self) -> bool:
        """Whether words were found and rejected."""
        return bool(self.why)


class Recogniser:
    """A folder of stage 12, loaded."""

    def __init__(
        self, folder: Path, threads: int = 1, wishes: Wishes = NONE, sure: bool = False,
        most_misfit: float | None = None,
    ) -> None:  # fmt: skip
        """Load a folder.

        Args:
            wishes: sentences that alone are heard, words that are added, or keywords.
            sure: give the probability that each final word is right, which takes another search.
            most_misfit: sentences of a grammar, and keywords, with a greater misfit (nats) are rejected; None: the
                folder's value.

        Raises:
            DeviceError: the folder is incomplete, its parts do not belong together, or something is wrong with the
                wishes.
        """
        files = Files.of(folder)
        about = files.about
        self.network = Network(files.network, threads)
        self.front = FrontEnd(self.network.about, files.network)
        if self.network.width != self.front.width:
            raise DeviceError(
                f"{files.network}: hears {self.network.width} numbers a frame, its metadata tells of "
                f"{self.front.width}. Export it anew."
            )
        if self.network.tree != about["tree"]:
            raise DeviceError(
                f"{files.network}: of the tree {self.network.tree}, the graph is of {about['tree']}. "
                "Export both from one recipe."
            )
        self.told: list[str] = []
        """what the user should know about the wishes, a sentence each"""
        self.keywords: Keywords | None = None
        self.graph = self._adapted(files, wishes) if wishes else self._graph(files)
        self.beams = Beams(about["beam"], about["min_active"], about["max_active"])
        # A constant added to all senones of a frame changes no path: the log-posteriors need no normalising.
        self._scale, self._offset = about["acoustic_scale"], about["prior_scale"] * self.network.log_priors
        self.silences = frozenset(about["silences"])
        self.least_confidence: float | None = about.get("least_confidence")  # older folders have none
        learnt = about.get("calibration") or {}
        self.calibration = Calibration(learnt["slope"], learnt["offset"]) if learnt else None
        self.sure, self._lattice_beam = sure, about.get("lattice_beam") or LATTICE_BEAM
        self._net: Callable[[], Net]
        alone = bool(wishes.grammar or wishes.keywords)
        most = about.get("most_misfit") if most_misfit is None else most_misfit
        self.rules = Rules(self.least_confidence, most if alone else None)
        if alone and most is None:
            self.told.append(ALL_TAKEN)

    def _graph(self, files: Files) -> Graph | MappedGraph:
        words = files.about["words"], files.about["sequence_base"], files.about["sequences"]
        if files.mapped:
            mapped = MappedGraph(files.folder, *words, self.network.senones)
            self._net = lambda: mapped.net
            return mapped
        from .search import Graph

        self._net = lambda: ArrayNet.of(self._read(files))
        return Graph(files.graph, *words, self.network.senones)

    @staticmethod
    def _read(files: Files) -> DecodingGraph:
        return of_fst(read_fst(files.graph), files.sequences, files.about["sequence_base"])

    def _adapted(self, files: Files, wishes: Wishes) -> Graph:
        from .adapt import adapt
        from .language import Language, guesser
        from .search import Graph

        language = Language.read(files.language, files.about["words"], self.network.tree)
        guess = guesser(language.spelled, files.g2p)

        def whole() -> tuple[DecodingGraph, Places]:
            places = Places.read(files.places)
            return self._read(files), places

        found = adapt(wishes, language.vocabulary, language.tree, guess, whole)
        self.told, self.keywords, self._net = found.told, found.keywords, lambda: ArrayNet.of(found.graph)
        return Graph.of(found.graph, list(found.vocabulary.words), self.network.senones)

    @cached_property
    def alternatives(self) -> Alternatives:
        """What draws alternatives, made on first use: it holds the graph once more."""
        return Alternatives(self._net(), self.beams, self._lattice_beam)

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Return the scores for the search, (frames, senones), of logits (frames, senones)."""
        return np.float32(self._scale) * (logits - self._offset)

    def hear(self, blocks: Iterable[np.ndarray], patience: EndpointOptions) -> Iterator[Event]:
        """Yield what is said in samples as they arrive, (length,) float32 in ±1 each: see `events`.

        Raises:
            DeviceError: a piece is shorter than a stacked frame, or not shorter than the longest utterance.
        """
        if not self.front.shift <= patience.piece < patience.longest:
            raise DeviceError(
                f"{patience}: a piece lasts {self.front.shift:g} s or more, and less than the longest utterance"
            )
        return events(blocks, self.utterance, patience, self.front.rate)

    def whole(self, samples: np.ndarray) -> Heard:
        """Return what is said in one utterance of samples (length,) float32 in ±1."""
        utterance = self.utterance()
        utterance.hear(samples)
        return utterance.finish()

    def utterance(self) -> UtteranceDecoding:
        """Begin the recognition of a new utterance."""
        return UtteranceDecoding(self) if self.keywords is None else KeywordDecoding(self, self.keywords)


class UtteranceDecoding:
    """The recognition of an utterance, from samples to words, a piece at a time."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.samples = 0
        self._recogniser = recogniser
        self._front, self._network = recogniser.front.utterance(), recogniser.network.utterance()
        self._search = recogniser.graph.search(recogniser.beams)
        self._best = Best([], [])
        self.outputs: list[int] = []
        """outputs of the best path, once the utterance has ended"""

    def hear(self, samples: np.ndarray) -> bool:
        """Take in samples (length,) float32 in ±1; return whether the words have changed."""
        self.samples += len(samples)
        scores = self._recogniser.scores(self._network(self._front(samples)))
        self._search(scores)
        before = self._best
        if len(scores):
            self._best = self._search.so_far() or Best([], [])
        return self._best.words != before.words

    @property
    def begun(self) -> bool:
        """Whether there are words."""
        return bool(self._best.words)

    @property
    def quiet(self) -> float:
        """Seconds of silence at the end of the best path."""
        frames = 0
        for label in reversed(self._best.labels):
            if label not in self._recogniser.silences:
                break
            frames += 1
        return self._recogniser.front.shift * frames

    @property
    def widened(self) -> bool:
        """Whether the search had to be repeated with wider beams."""
        return self._search.widened

    def so_far(self) -> Heard:
        """Return the words so far, which may still change."""
        return Heard(self._recogniser.graph.text(self._best.words), self._seconds)

    def finish(self) -> Heard:
        """End the utterance and return all its words; none if they are rejected."""
        best, known = self._ended(), self._recogniser
        self.outputs = best.words if best else []
        if best is None or not best.words:
            return Heard([], self._seconds, best is None)
        sure, why = known.rules.judge(self._search.scores, best.labels, known.silences)
        if why:
            return Heard([], self._seconds, False, sure, why)
        each = list(map(known.calibration or float, self.shares(best.words))) if known.sure else None
        return Heard(known.graph.text(best.words), self._seconds, False, sure, "", each)

    def _ended(self) -> Best | None:
        """End the utterance and return the best path; None: there is none."""
        for logits in (self._network(self._front.finish()), self._network.finish()):
            self._search(self._recogniser.scores(logits))
        return self._search.finish()

    def shares(self, outputs: list[int]) -> list[float]:
        """Return the share of alternatives that agree with each word of a best path's outputs, once it has ended."""
        graph = self._recogniser.graph
        return shares(
            graph.ids(outputs), [graph.ids(of) for of in self._recogniser.alternatives.draw(self._search.scores)]
        )

    @property
    def _seconds(self) -> float:
        return self.samples / self._recogniser.front.rate


class KeywordDecoding(UtteranceDecoding):
    """The recognition of an utterance, from samples to the keywords in it, a piece at a time."""

    def __init__(self, recogniser: Recogniser, keywords: Keywords) -> None:
        super().__init__(recogniser)
        self._keywords, self._told = keywords, list[str]()

    def hear(self, samples: np.ndarray) -> bool:
        """Take in samples (length,) float32 in ±1; return whether the keywords have changed."""
        if not super().hear(samples):
            return False
        before, self._told = self._told, self.so_far().words
        return self._told != before

    def so_far(self) -> Heard:
        """Return the keywords so far, which may still change."""
        return self._heard(self._best)

    def finish(self) -> Heard:
        """End the utterance and return all keywords that fit well enough."""
        best = self._ended()
        return Heard([], self._seconds, True) if best is None else self._heard(best)

    def _heard(self, best: Best) -> Heard:
        known = self._recogniser
        words, scores = known.graph.ids(best.words), self._search.scores
        hits = self._keywords.hits(
            words, best.labels, scores, known.silences, known.front.shift, known.rules.most_misfit
        )
        return Heard([hit.text for hit in hits], self._seconds, hits=hits)
