"""A recogniser in one folder: acoustic model, graph, front end and scales, for audio that no manifest knows.

Its files: model.json, model.safetensors, HCLG.fst, HCLG.json, lexicon.txt, phones.txt, words.txt, tree.json,
normaliser.json, and recogniser.json, which holds the scales, the beams and where they come from; where words can be
added, places.npz and, where they can be guessed, g2p.npz; and of a large graph, in compact/, the one with epsilons.
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
    """What was said in a piece of audio."""

    words: list[Word]
    seconds: float
    empty: bool
    """the search found no way through its graph: nothing is known of what was said"""
    confidence: float | None = None
    """of `understudy.device.confidence`; None: no words were found"""
    why: str = ""
    """words were found, and are not told for this reason"""

    @property
    def rejected(self) -> bool:
        """Whether words were found that are not told."""
        return bool(self.why)


def pack(model: Path, graph: Path, tree: Path, normaliser: Path, about: dict[str, Any], out: Path) -> None:
    """Copy what a recogniser needs to a folder.

    Args:
        about: acoustic_scale, prior_scale, beams, least_confidence, and anything else worth keeping.

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
    """Audio to words."""

    def __init__(self, folder: Path, engine: Engine | None = None, wishes: Wishes = NONE) -> None:
        """Load a folder that `pack` made.

        Args:
            engine: what searches; None: k2 where it is installed.
            wishes: sentences that alone are heard, words that are added.

        Raises:
            UserError: it is none, or something is wrong with the wishes.
        """
        if not (folder / "recogniser.json").exists():
            raise UserError(f"{folder}: no recogniser.json in it. Make a recogniser of a model with steps/pack.py.")
        self.folder, self.engine = folder, engine
        self.about = read_json(folder / "recogniser.json")
        self.scales = Scales.from_dict(self.about)
        self.beams = Beams(**self.about["beams"])
        self.model, self.lexicon, self.tree = models.load(folder), Lexicon.read(folder), Tree.load(folder / "tree.json")
        self.vocabulary: Vocabulary = self.lexicon
        """with the words that were added"""
        self.told: list[str] = []
        """what the user should know of the wishes"""
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
        """The same graph with epsilons, for devices; None: it was not made."""
        if not (self.folder / COMPACT).exists():
            return None
        return with_word_cost(load_graph(self.folder / COMPACT, self.tree.fingerprint), self.scales.word)

    def _adapted(self, folder: Path, wishes: Wishes) -> DecodingGraph:
        from understudy.device.adapt import adapt  # brings OpenFst, which few need
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
        """Words of utterances; none of those that it is less sure of than `least_confidence`.

        Args:
            batch: samples of each, (length,) float32 in ±1 at 16 kHz.
            times: tell times and confidences too; without them a word's are 0.
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
        """What is found in features (frames, inputs) of utterances, with its path, and their scores.

        Args:
            draws: word sequences that are drawn.
            graph: that is searched in place of its own.
        """
        posteriors = self.model.log_posteriors(list(features)) if features else []
        scores = [self.scales.scores(p, self.model.log_priors) for p in posteriors]
        found = search_each(graph or self.graph, scores, self.beams, [None], Wanted(draws, path=True), self.engine)
        return [(one, score) for (one,), score in zip(found, scores, strict=True)]

    def heard(self, found: Found, scores: Tensor, seconds: float, times: bool = True) -> Heard:
        """What a search found in `scores` (frames, senones), as `hear` tells it."""
        if not found.words:
            return Heard([], seconds, found.empty)
        sure, why = self.rules.judge(scores.numpy(), found.path, self.silences)
        return Heard([] if why else self.words(found, scores, times), seconds, found.empty, sure, why)

    def confidence(self, found: Found, scores: Tensor) -> float | None:
        """Of words that were found in `scores` (frames, senones); None: there are none."""
        return confidence(scores.numpy(), found.path, self.silences) if found.words else None

    def words(self, found: Found, scores: Tensor, times: bool = True) -> list[Word]:
        """Words that a search found in `scores` (frames, senones), as `hear` tells them; `DRAWS` of them were drawn."""
        said = [self.vocabulary.words[word] for word in found.words]
        if not times:
            return [Word(text, 0.0, 0.0, 0.0) for text in said]
        where = spans(said, scores, self.vocabulary, self.tree)
        sure = map(self.calibration or float, shares(found.words, found.drawn))
        return [Word(text, *span, share) for text, span, share in zip(said, where, sure, strict=True)]


def adapted(options: TranscribeOptions | ListenOptions) -> Recogniser:
    """The recogniser that a command asks for; what the user should know of wishes is said on stderr."""
    found = Recogniser(options.recogniser, options.search, Wishes(options.grammar, options.words))
    for told in found.told:
        print(f"warning: {told}", file=sys.stderr)
    return found


def about(scored: dict[str, Any], beams: Beams, system: str, weights: str) -> dict[str, Any]:
    """What recogniser.json holds: of a decoding's wer.json its scales, in which ways texts were made alike, and its
    rates if they are the model's.

    Args:
        weights: fingerprint of the model's.
    """
    rates = {key: scored[key] for key in ("wer", "wer_low", "wer_high", "errors", "words", "utterances")}
    return {
        "system": system, **Scales.from_dict(scored).to_dict(), "beams": asdict(beams), "frame_s": STACKED_SHIFT,
        "normalise": scored.get("normalise", []),
        "tested": rates if scored.get("model", weights) == weights else None,
    }  # fmt: skip
