"""Pruned search over a batch, with nothing lost silently: empty lattices are searched again and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import k2
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from understudy.lang.graph import words_of
from understudy.stage import UserError, log

RETRIES = 2


@dataclass(frozen=True)
class Beams:
    """How far the search looks (nats, after acoustic scaling)."""

    search: float = 15.0
    """beam of the search"""
    output: float = 6.0
    """beam of the lattice"""
    min_active: int = 30
    """active states per frame, at least"""
    max_active: int = 5000
    """active states per frame, at most"""

    def wider(self) -> Beams:
        """Twice as wide."""
        return replace(self, search=2 * self.search, output=2 * self.output, max_active=2 * self.max_active)


@dataclass
class Found:
    """Word ids of one utterance; how the search went."""

    words: list[int]
    retried: bool = False
    empty: bool = False


def scores(log_posteriors: Tensor, log_priors: Tensor, acoustic_scale: float, prior_scale: float) -> Tensor:
    """Scaled pseudo log-likelihoods (frames, senones): acoustic_scale * (posterior - prior_scale * prior)."""
    return acoustic_scale * (log_posteriors - prior_scale * log_priors)


def search(graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams = Beams()) -> list[Found]:
    """Best words of each utterance.

    Args:
        graph: of `understudy.lang.graph.build_hclg`.
        utterances: scores (frames, senones) of each.

    Returns:
        In the order of `utterances`. An utterance whose lattice is empty is searched again with beams
        twice as wide, `RETRIES` times; if it stays empty it has no words and is marked so.

    Raises:
        UserError: the bounds of active states leave no room.
    """
    if not 0 < beams.min_active < beams.max_active:
        raise UserError(f"beams: min_active {beams.min_active} must be above 0 and below max_active.")
    found = [Found([], empty=True) for _ in utterances]
    todo = [i for i, u in enumerate(utterances) if len(u)]
    for attempt in range(1 + RETRIES):
        if not todo:
            break
        for i, words in zip(todo, _search(graph, [utterances[i] for i in todo], beams), strict=True):
            found[i] = Found(words or [], retried=attempt > 0, empty=words is None)
        todo = [i for i in todo if found[i].empty]
        beams = beams.wider()
    return found


def _search(graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams) -> list[list[int] | None]:
    """Words, or None for an empty lattice. Halves the batch, then the active states, when memory runs out."""
    try:
        return _search_batch(graph, utterances, beams)
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
        if len(utterances) > 1:
            half = len(utterances) // 2
            log.warning("out of memory: %d utterances are searched in two halves", len(utterances))
            return _search(graph, utterances[:half], beams) + _search(graph, utterances[half:], beams)
        fewer = replace(beams, max_active=beams.max_active // 2)
        if fewer.max_active <= beams.min_active:
            raise
        log.warning("out of memory on one utterance: searched with %d active states", fewer.max_active)
        return _search(graph, utterances, fewer)


def _is_memory(error: BaseException) -> bool:
    text = str(error).lower()
    # k2 prints its reason and raises one sentence for every failure of a check, want of memory among them.
    return isinstance(error, MemoryError) or any(s in text for s in ("memory", "alloc", "bad things happened"))


def _search_batch(graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams) -> list[list[int] | None]:
    order = sorted(range(len(utterances)), key=lambda i: -len(utterances[i]))  # k2 wants the longest first
    batch = pad_sequence([utterances[i] for i in order], batch_first=True)
    batch = torch.nn.functional.pad(batch, (1, 0), value=-1e30)  # label 0 does not exist
    segments = torch.tensor([[n, 0, len(utterances[i])] for n, i in enumerate(order)], dtype=torch.int32)
    lattice = k2.intersect_dense_pruned(
        _vector(graph),
        k2.DenseFsaVec(batch, segments),
        beams.search,
        beams.output,
        beams.min_active,
        beams.max_active,
    )
    paths = k2.shortest_path(lattice, use_double_scores=True)
    shape = paths.arcs.shape()
    states = shape.row_splits(1).long()
    arcs = shape.row_splits(2).long()[states].tolist()
    labels = paths.aux_labels.tolist()
    found: list[list[int] | None] = [None] * len(utterances)
    for i, begin, end in zip(order, arcs[:-1], arcs[1:], strict=True):
        if end > begin:
            found[i] = words_of(graph, labels[begin:end])
    return found


def _vector(graph: k2.Fsa) -> k2.Fsa:
    return k2.create_fsa_vec([graph]) if len(graph.shape) == 2 else graph
