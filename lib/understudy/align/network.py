"""Aligning at 30 ms with a network, on senones in context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch
from lhotse.cut import Cut

from understudy import models
from understudy.align.graph import ENTRY_LOOP, AlignmentGraph, alignment_graph
from understudy.align.shards import Aligned, Pronunciations, pronounced
from understudy.align.viterbi import Path as ViterbiPath
from understudy.align.viterbi import viterbi
from understudy.features import STACKED_SHIFT, Normaliser
from understudy.features.batches import consecutive
from understudy.lang.lexicon import Lexicon
from understudy.lang.tree import Tree
from understudy.step import fingerprint

BATCH = 16
"""cuts that it hears at once, at most"""
FRAMES = 16 * 1000
"""stacked frames that the network hears at once, padding counted: half a minute each; a longer cut is alone"""


@dataclass(frozen=True)
class NetworkAligner:
    """Best senones of each frame: rows of one column.

    It holds files, not their contents, and knows what was in them, as processes keep what they have loaded.
    """

    model: Path
    tree: Path
    """tree.json"""
    normaliser: Path
    phones: tuple[str, ...]
    silence: int
    prior_scale: float
    """log priors are subtracted with this weight"""
    made_of: tuple[str, ...] = field(init=False)
    """fingerprints of the files"""

    def __post_init__(self) -> None:
        for name in ("model", "tree", "normaliser"):
            object.__setattr__(self, name, getattr(self, name).absolute())
        read = self.model / "model.safetensors", self.tree, self.normaliser
        object.__setattr__(self, "made_of", fingerprint.of_files(read))

    @classmethod
    def of(cls, model: Path, tree: Path, normaliser: Path, lexicon: Lexicon, prior_scale: float) -> NetworkAligner:
        """With the phones of a lexicon."""
        return cls(model, tree, normaliser, lexicon.phones, lexicon.silence, prior_scale)

    def __call__(self, cuts: list[Cut], pronunciations: Pronunciations) -> Iterator[Aligned | None]:
        model, tree, normaliser = _loaded(self)
        for batch in consecutive(cuts, FRAMES, BATCH):
            posteriors = model.log_posteriors(models.heard(model, batch, normaliser))
            scores = [p - self.prior_scale * model.log_priors for p in posteriors]
            graphs = [
                alignment_graph(pronounced(cut, pronunciations), self.silence, ENTRY_LOOP, tree.senone) for cut in batch
            ]
            for graph, score, found in zip(graphs, scores, viterbi(graphs, scores), strict=True):
                yield None if found is None else self._aligned(graph, found, score)

    def _aligned(self, graph: AlignmentGraph, path: ViterbiPath, score: torch.Tensor) -> Aligned:
        states, total = path
        starts = [t for t in range(len(states)) if graph.contexts[states[t], 3] == 0]
        phones = [(self.phones[graph.phones[states[t]]], t * STACKED_SHIFT) for t in starts]
        free = float(score.double().max(1).values.sum())
        return Aligned(graph.labels[states], len(score), phones, min(0.0, (total - free) / len(score)))


@lru_cache(1)
def _loaded(aligner: NetworkAligner) -> tuple:
    return models.load_any(aligner.model), Tree.load(aligner.tree), Normaliser.load(aligner.normaliser)
