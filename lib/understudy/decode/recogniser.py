"""A recogniser in one folder: acoustic model, graph, front end and scales, for any audio, without a manifest.

Its files: model.json, model.safetensors, HCLG.fst, HCLG.json, lexicon.txt, phones.txt, words.txt, tree.json,
normaliser.json, and recogniser.json, which holds the scales, the beams and where they come from; places.npz, where
words can be added, and g2p.npz, where their pronunciations can be guessed; and, for a large graph, its variant with
epsilons in compact/.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from understudy import models
from understudy.decode.options import Beams, Engine, ListenOptions, TranscribeOptions
from understudy.decode.search import Found, Scales, Wanted, search_each
from understudy.decode.word_times import Word, spans
from understudy.device.confidence import ALL_TAKEN, Rules, confidence
from understudy.device.decoding_graph import DecodingGraph
from understudy.device.errors import DeviceError
from understudy.device.files import G2P, PLACES
from understudy.device.places import Places
from understudy.device.vocabulary import Vocabulary
from understudy.device.wishes import NONE, Wishes
from understudy.device.word_confidence import DRAWS, Calibration, shares
from understudy.features import Normaliser, stack
from understudy.features.frames import SAMPLE_RATE, STACKED_SHIFT
from understudy.features.kind import LOGMELS
from understudy.features.logmel import logmel
from understudy.features.stream import SHORTEST
from understudy.lang.graph import COMPACT, GRAPH_FILES, check_graph, load_graph, with_word_cost
from understudy.lang.lexicon import LEXICON_FILES, Lexicon
from understudy.lang.tree import Tree
from understudy.step import UserError, atomic_path, read_json, write_json

_MODEL = ("model.json", "model.safetensors")
_GRAPH = (*GRAPH_FILES, *LEXICON_FILES)


@dataclass(frozen=True)
class Heard:
    """The recognition result of one piece of audio."""

    words: list[Word]
    seconds: float
    empty: bool
    """the search found no path through its graph, so nothing is known about what was said"""
    confidence: float | None = None
    """confidence of the utterance, see `understudy.device.confidence`; None: no words were found"""
    why: str = ""
    """the reason why the words that were found are withheld; empty: they are not"""

    @property
    def rejected(self) -> bool:
        """Whether words were found, but are withheld."""
        return bool(self.why)


def pack(model: Path, graph: Path, tree: Path, normaliser: Path, about: dict[str, Any], out: Path) -> None:
    """Copy what a recogniser needs to a folder.

    Args:
        about: content of recogniser.json: acoustic_scale, prior_scale, beams, least_confidence, and anything else
            worth keeping.

    Raises:
        UserError: the parts do not belong together.
    """
    grown = Tree.load(tree)
    network = models.load(model)
    models.check_tree(model, network, grown, tree)
    if models.hears(network) != LOGMELS.name:
        raise UserError(f"{model}: hears features of {models.hears(network)}, not audio. Pack a student of it.")
    check_graph(graph, grown.fingerprint)
    files = {model / name: name for name in _MODEL} | {graph / name: name for name in _GRAPH}
    for source, name in (files | {tree: "tree.json", normaliser: "normaliser.json"}).items():
        if not source.exists():
            raise UserError(f"{source}: no such file. Run the stage that makes it first.")
        with atomic_path(out / name) as partial:
            shutil.copyfile(source, partial)
    for name in (PLACES, *(f"{COMPACT}/{file}" for file in GRAPH_FILES)):  # some graphs have none
        if (graph / name).exists():
            with atomic_path(out / name) as partial:
                shutil.copyfile(graph / name, partial)
    write_json(out / "recogniser.json", about)


class Recogniser:
    """A recogniser that was loaded: audio to words."""

    def __init__(self, folder: Path, engine: Engine | None = None, wishes: Wishes = NONE) -> None:
        """Load a folder that `pack` made.

        Args:
            engine: the search engine; None: k2 where it is installed.
            wishes: the user's sentences, which replace the language model, and added words.

        Raises:
            UserError: the folder holds no recogniser, or the wishes cannot be met.
        """
        if not (folder / "recogniser.json").exists():
            raise UserError(f"{folder}: no recogniser.json in it. Make a recogniser of a model with steps/pack.py.")
        self.folder, self.engine = folder, engine
        self.about = read_json(folder / "recogniser.json")
        self.scales = Scales.from_dict(self.about)
        self.beams = Beams(**self.about["beams"])
        self.model, self.lexicon, self.tree = models.load(folder), Lexicon.read(folder), Tree.load(folder / "tree.json")
        self.vocabulary: Vocabulary = self.lexicon
        """words and pronunciations, with those that the user added"""
        self.told: list[str] = []
        """warnings for the user about the wishes"""
        graph = self._adapted(folder, wishes) if wishes else load_graph(folder, self.tree.fingerprint)
        self.graph = with_word_cost(graph, self.scales.word)
        self.normaliser = Normaliser.load(folder / "normaliser.json")
        self.silences = self.tree.senones_of(self.lexicon.silence)
        self.least_confidence: float | None = self.about.get("least_confidence")
        learnt = self.about.get("calibration")
        self.calibration = Calibration(learnt["slope"], learnt["offset"]) if learnt else None
        most = self.about.get("most_misfit") if wishes.grammar else None
        self.rules = Rules(self.least_confidence, most)
        if wishes.grammar and most is None:
            self.told.append(ALL_TAKEN)

    @cached_property
    def compact(self) -> DecodingGraph | None:
        """The graph's variant with epsilons, for devices; None: it was not made."""
        if not (self.folder / COMPACT).exists():
            return None
        return with_word_cost(load_graph(self.folder / COMPACT, self.tree.fingerprint), self.scales.word)

    def _adapted(self, folder: Path, wishes: Wishes) -> DecodingGraph:
        from understudy.device.adapt import adapt  # imports OpenFst, which few need
        from understudy.device.language import guesser, is_spelled

        def whole() -> tuple[DecodingGraph, Places]:
            if not (folder / PLACES).exists():
                raise UserError(f"{folder}: no {PLACES} in it, which --words needs. Make graph and recogniser anew.")
            return load_graph(folder, self.tree.fingerprint), Places.read(folder / PLACES)

        try:
            guess = guesser(is_spelled(self.vocabulary), folder / G2P)
            found = adapt(wishes, self.vocabulary, self.tree, guess, whole)
        except DeviceError as error:
            raise UserError(str(error)) from None
        self.vocabulary, self.told = found.vocabulary, found.told
        return found.graph

    def hear(self, batch: Sequence[np.ndarray], times: bool = True) -> list[Heard]:
        """Recognise utterances; words of an utterance whose confidence is below `least_confidence` are withheld.

        Args:
            batch: samples of each utterance, (length,) float32 in ±1 at 16 kHz.
            times: also find times and confidences of words; otherwise they are 0.
        """
        voiced = [i for i, samples in enumerate(batch) if len(samples) >= SHORTEST]
        features = [torch.from_numpy(stack(self.normaliser(logmel(batch[i])))) for i in voiced]
        heard = [Heard([], len(samples) / SAMPLE_RATE, True) for samples in batch]
        for i, (found, scores) in zip(voiced, self.search(features, DRAWS if times else 0), strict=True):
            heard[i] = self.heard(found, scores, heard[i].seconds, times)
        return heard

    def search(
        self, features: Sequence[Tensor], draws: int = 0, graph: DecodingGraph | None = None
    ) -> list[tuple[Found, Tensor]]:
        """Search features (frames, inputs) of utterances. Returns each one's result, with its path, and its scores.

        Args:
            draws: word sequences to draw from each lattice.
            graph: searched in place of the recogniser's own.
        """
        posteriors = self.model.log_posteriors(list(features)) if features else []
        scores = [self.scales.scores(p, self.model.log_priors) for p in posteriors]
        found = search_each(graph or self.graph, scores, self.beams, [None], Wanted(draws, path=True), self.engine)
        return [(one, score) for (one,), score in zip(found, scores, strict=True)]

    def heard(self, found: Found, scores: Tensor, seconds: float, times: bool = True) -> Heard:
        """Turn what a search found in `scores` (frames, senones) into the result that `hear` returns."""
        if not found.words:
            return Heard([], seconds, found.empty)
        sure, why = self.rules.judge(scores.numpy(), found.path, self.silences)
        return Heard([] if why else self.words(found, scores, times), seconds, found.empty, sure, why)

    def confidence(self, found: Found, scores: Tensor) -> float | None:
        """Return the confidence of words that were found in `scores` (frames, senones); None: there are no words."""
        return confidence(scores.numpy(), found.path, self.silences) if found.words else None

    def words(self, found: Found, scores: Tensor, times: bool = True) -> list[Word]:
        """Return the words that a search with `DRAWS` draws found in `scores` (frames, senones), as `hear` does."""
        said = [self.vocabulary.words[word] for word in found.words]
        if not times:
            return [Word(text, 0.0, 0.0, 0.0) for text in said]
        where = spans(said, scores, self.vocabulary, self.tree)
        sure = map(self.calibration or float, shares(found.words, found.drawn))
        return [Word(text, *span, share) for text, span, share in zip(said, where, sure, strict=True)]


def adapted(options: TranscribeOptions | ListenOptions) -> Recogniser:
    """Load the recogniser that a command asks for; warnings about the user's wishes go to stderr."""
    found = Recogniser(options.recogniser, options.search, Wishes(options.grammar, options.words))
    for told in found.told:
        print(f"warning: {told}", file=sys.stderr)
    return found


def about(scored: dict[str, Any], beams: Beams, system: str, weights: str) -> dict[str, Any]:
    """Return the content of recogniser.json: a decoding's scales and text normalisation, and its rates if it decoded
    this model.

    Args:
        scored: the decoding's wer.json.
        beams: beams of the recogniser's search.
        system: name of the model.
        weights: fingerprint of the model's weights.
    """
    rates = {key: scored[key] for key in ("wer", "wer_low", "wer_high", "errors", "words", "utterances")}
    return {
        "system": system, **Scales.from_dict(scored).to_dict(), "beams": asdict(beams), "frame_s": STACKED_SHIFT,
        "normalise": scored.get("normalise", []),
        "tested": rates if scored.get("model", weights) == weights else None,
    }  # fmt: skip
