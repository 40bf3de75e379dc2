"""Pruned search over a batch, with nothing lost silently: empty lattices are searched again and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple
from weakref import WeakKeyDictionary

import k2
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from understudy.decode.lattice import WordLattice, word_lattices
from understudy.lang.graph import word_counts, words_of
from understudy.stage import UserError, log

RETRIES = 2
FRAMES = 2000  # searched at once: 6000 take no less time, and half as much memory again on a graph of 2 M arcs


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
    drawn: list[list[int]] = field(default_factory=list)
    """word sequences drawn from the lattice by their probability, if any were asked for"""
    lattice: WordLattice | None = None
    """if it was asked for, and is not empty"""
    narrowed: bool = False
    """memory ran out: fewer states than asked for were followed"""


@dataclass(frozen=True)
class Wanted:
    """What to tell of an utterance beside its best words."""

    draws: int = 0
    """word sequences to draw from its lattice by their probability"""
    lattice: bool = False
    """the lattice itself"""


class Scales(NamedTuple):
    """Weights of log-posteriors and, within them, of log priors; the graph's weight is 1."""

    acoustic: float
    prior: float
    word: float = 0.0
    """cost of a word, nats (the word insertion penalty): a part of the graph that is searched, `with_word_cost`"""

    def told(self) -> dict[str, float]:
        """As wer.json and recogniser.json hold them."""
        return {"acoustic_scale": self.acoustic, "prior_scale": self.prior, "word_penalty": self.word}

    @classmethod
    def of(cls, told: Mapping[str, float]) -> Scales:
        """What `told` wrote; before there were word penalties there was none."""
        return cls(told["acoustic_scale"], told["prior_scale"], told.get("word_penalty", 0.0))

    def scores(self, log_posteriors: Tensor, log_priors: Tensor) -> Tensor:
        """Scaled pseudo log-likelihoods (frames, senones): acoustic * (posterior - prior * log prior)."""
        return self.acoustic * (log_posteriors - self.prior * log_priors)


@dataclass(frozen=True)
class Rescale:
    """Other scales for a lattice that is there: an arc's acoustic score becomes factor * score + offset[senone]."""

    factor: float
    offset: Tensor
    word: float = 0.0
    """what each word costs more, nats"""

    @classmethod
    def between(cls, old: Scales, new: Scales, log_priors: Tensor) -> Rescale:
        """The change from `old` scales, which the lattice was made with, to `new` ones: exact on its paths."""
        offset = new.acoustic * (old.prior - new.prior) * log_priors
        return cls(new.acoustic / old.acoustic, offset, new.word - old.word)


def search(graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams = Beams()) -> list[Found]:
    """Best words of each utterance: `search_each` with the scores as they are."""
    return [found for (found,) in search_each(graph, utterances, beams, [None])]


def search_each(
    graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None],
    wanted: Wanted = Wanted(),
) -> list[list[Found]]:  # fmt: skip
    """Best words of each utterance under each of several scales, from one search.

    Args:
        graph: of `understudy.lang.graph.build_hclg`.
        utterances: scores (frames, senones) of each.
        rescales: what to do to the lattice's scores before its best path is taken; None: nothing.
        wanted: what to tell beside the best words.

    Returns:
        In the order of `utterances`, one for each of `rescales`. An utterance whose lattice is empty is
        searched again with beams twice as wide, `RETRIES` times; if it stays empty it has no words and is
        marked so.

    Raises:
        UserError: the bounds of active states leave no room.
    """
    if not 0 < beams.min_active < beams.max_active:
        raise UserError(f"beams: min_active {beams.min_active} must be above 0 and below max_active.")
    found = [[Found([], empty=True) for _ in rescales] for _ in utterances]
    todo = [i for i, u in enumerate(utterances) if len(u)]
    for attempt in range(1 + RETRIES):
        if not todo:
            break
        for part in _parts(todo, utterances):
            each = _search(graph, [utterances[i] for i in part], beams, rescales, wanted)
            for i, of in zip(part, each, strict=True):
                found[i] = [replace(one, retried=attempt > 0) for one in of]
        todo = [i for i in todo if found[i][0].empty]
        beams = beams.wider()
    return found


def _parts(numbers: Sequence[int], utterances: Sequence[Tensor]) -> Iterator[list[int]]:
    """Utterances of about one length, the longest first; a part has `FRAMES` frames at most, or one utterance."""
    part: list[int] = []
    for i in sorted(numbers, key=lambda i: -len(utterances[i])):
        if part and (len(part) + 1) * len(utterances[part[0]]) > FRAMES:
            yield part
            part = []
        part.append(i)
    if part:
        yield part


Words = list[int] | None
"""Word ids; None: the lattice is empty"""


def _search(
    graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None], wanted: Wanted
) -> list[list[Found]]:
    """What is found for each rescaling. Halves the batch, then the active states, when memory runs out."""
    try:
        return _search_batch(graph, utterances, beams, rescales, wanted)
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
        if len(utterances) > 1:
            half = len(utterances) // 2
            log.warning("out of memory: %d utterances are searched in two halves", len(utterances))
            halves = utterances[:half], utterances[half:]
            return [words for part in halves for words in _search(graph, part, beams, rescales, wanted)]
        fewer = replace(beams, max_active=beams.max_active // 2)
        if fewer.max_active <= beams.min_active:
            raise
        log.warning("out of memory on one utterance: searched with %d active states", fewer.max_active)
        (each,) = _search(graph, utterances, fewer, rescales, wanted)
        return [[replace(one, narrowed=True) for one in each]]


def _is_memory(error: BaseException) -> bool:
    text = str(error).lower()
    # k2 prints its reason and raises one sentence for every failure of a check, want of memory among them.
    return isinstance(error, MemoryError) or any(s in text for s in ("memory", "alloc", "bad things happened"))


def _search_batch(
    graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None], wanted: Wanted
) -> list[list[Found]]:
    order = sorted(range(len(utterances)), key=lambda i: -len(utterances[i]))  # k2 wants the longest first
    lattice = lattices(graph, [utterances[i] for i in order], beams)
    columns, said = [], word_counts(graph, lattice.aux_labels) if any(r and r.word for r in rescales) else None
    for rescale in rescales:
        one = lattice if rescale is None else _rescaled(lattice, rescale, said)
        best = _best_words(one, graph)
        drawn = _drawn_words(one, graph, wanted.draws, best)
        kept = word_lattices(one, graph) if wanted.lattice else [None] * len(best)
        columns.append([Found(w or [], False, w is None, *more) for w, *more in zip(best, drawn, kept, strict=True)])
    found: list[list[Found]] = [[] for _ in utterances]
    for i, *each in zip(order, *columns, strict=True):
        found[i] = each
    return found


def lattices(graph: k2.Fsa, utterances: Sequence[Tensor], beams: Beams, frames: str | None = None) -> k2.Fsa:
    """Lattices of utterances that come longest first; `graph_scores` is the graph's share of an arc's score.

    Args:
        frames: name of an attribute that tells an arc's frame, counted through all utterances with one more each.
    """
    return k2.intersect_dense_pruned(
        as_vector(graph), dense(utterances), beams.search, beams.output, beams.min_active, beams.max_active,
        seqframe_idx_name=frames,
    )  # fmt: skip


_vectors: WeakKeyDictionary[k2.Fsa, k2.Fsa] = WeakKeyDictionary()


def as_vector(graph: k2.Fsa) -> k2.Fsa:
    """The graph as k2 intersects it: made once, as that looks at every arc. A graph in use must stay as it is."""
    if graph not in _vectors:
        _vectors[graph] = k2.create_fsa_vec([graph])
        _vectors[graph].graph_scores = graph.scores.clone()
    return _vectors[graph]


def dense(utterances: Sequence[Tensor]) -> k2.DenseFsaVec:
    """Scores (frames, senones) of utterances that come longest first, for k2."""
    batch = pad_sequence(utterances, batch_first=True)
    batch = torch.nn.functional.pad(batch, (1, 0), value=-1e30)  # label 0 does not exist
    return k2.DenseFsaVec(batch, torch.tensor([[n, 0, len(u)] for n, u in enumerate(utterances)], dtype=torch.int32))


def _rescaled(lattice: k2.Fsa, rescale: Rescale, said: Tensor | None) -> k2.Fsa:
    """`said`: (arcs,) words on each arc, for a rescaling that changes what they cost."""
    offset = torch.nn.functional.pad(rescale.offset, (1, 0))[lattice.labels.long().clamp(min=0)]  # final arcs: 0
    acoustic = lattice.scores - lattice.graph_scores
    changed = lattice.clone()
    changed.scores = lattice.graph_scores + rescale.factor * acoustic + offset
    if rescale.word:
        changed.scores = changed.scores - rescale.word * said
    return changed


def _best_words(lattice: k2.Fsa, graph: k2.Fsa) -> list[Words]:
    paths = k2.shortest_path(lattice, use_double_scores=True)
    shape = paths.arcs.shape()
    states = shape.row_splits(1).long()
    arcs = shape.row_splits(2).long()[states].tolist()
    labels = paths.aux_labels.tolist()
    return [words_of(graph, labels[begin:end]) if end > begin else None for begin, end in pairwise(arcs)]


def _drawn_words(lattice: k2.Fsa, graph: k2.Fsa, draws: int, best: list[Words]) -> list[list[list[int]]]:
    """Words of `draws` paths of each lattice; none where it is empty."""
    drawn: list[list[list[int]]] = [[] for _ in best]
    whole = [i for i, words in enumerate(best) if words is not None]
    if not draws or not whole:
        return drawn
    if len(whole) < len(best):
        lattice = k2.index_fsa(lattice, torch.tensor(whole, dtype=torch.int32))
    paths = k2.random_paths(lattice, use_double_scores=True, num_paths=draws)
    labels, ends = lattice.aux_labels[paths.values.long()].tolist(), paths.shape.row_splits(2).tolist()
    for place, i in enumerate(whole):
        splits = ends[place * draws : (place + 1) * draws + 1]
        drawn[i] = [words_of(graph, labels[a:b]) for a, b in pairwise(splits)]
    return drawn
