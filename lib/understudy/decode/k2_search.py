"""The search with k2: the only module here that imports k2, and only if k2 is to search (`search.backend`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from weakref import WeakKeyDictionary

import k2
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from understudy.decode.lattice import WordLattice, determinised
from understudy.decode.options import Beams
from understudy.decode.search import Found, Occupancies, Rescale, Wanted
from understudy.lang.graph import DecodingGraph, word_counts, words_of
from understudy.step import log

Words = list[int] | None
"""Word ids; None where the lattice is empty"""


def search_part(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None], wanted: Wanted
) -> list[list[Found]]:
    """Search a batch and return each utterance's result under each rescaling.

    When memory runs out, the batch is halved, then the number of active states.
    """
    try:
        return _search_batch(graph, utterances, beams, rescales, wanted)
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
        if len(utterances) > 1:
            half = len(utterances) // 2
            log.warning("out of memory: %d utterances are searched in two halves", len(utterances))
            halves = utterances[:half], utterances[half:]
            return [words for part in halves for words in search_part(graph, part, beams, rescales, wanted)]
        fewer = replace(beams, max_active=beams.max_active // 2)
        if fewer.max_active <= beams.min_active:
            raise
        log.warning("out of memory on one utterance: searched with %d active states", fewer.max_active)
        (each,) = search_part(graph, utterances, fewer, rescales, wanted)
        return [[replace(one, narrowed=True) for one in each]]


def _is_memory(error: BaseException) -> bool:
    text = str(error).lower()
    # k2 prints the reason and raises the same sentence for every failed check, a failed allocation among them.
    return isinstance(error, MemoryError) or any(s in text for s in ("memory", "alloc", "bad things happened"))


def _search_batch(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None], wanted: Wanted
) -> list[list[Found]]:
    order = sorted(range(len(utterances)), key=lambda i: -len(utterances[i]))  # k2 wants the longest first
    lattice = lattices(graph, [utterances[i] for i in order], beams)
    columns, said = [], _said(graph, lattice) if any(r and r.word for r in rescales) else None
    for rescale in rescales:
        one = lattice if rescale is None else _rescaled(lattice, rescale, said)
        best, paths = _best_words(one, graph, wanted.path)
        drawn = _drawn_words(one, graph, wanted.draws, best)
        kept = word_lattices(one, graph) if wanted.lattice else [None] * len(best)
        columns.append([
            Found(words or [], empty=words is None, drawn=draws, lattice=of, path=path)
            for words, path, draws, of in zip(best, paths, drawn, kept, strict=True)
        ])  # fmt: skip
    found: list[list[Found]] = [[] for _ in utterances]
    for i, *each in zip(order, *columns, strict=True):
        found[i] = each
    return found


def lattices(graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, frames: str | None = None) -> k2.Fsa:
    """Make lattices of utterances that are sorted longest first; `graph_scores` is the graph's part of an arc's score.

    Args:
        frames: name of an attribute for each arc's frame, counted through all utterances, each with one frame more
            (of final arcs).
    """
    return k2.intersect_dense_pruned(
        as_vector(graph), dense(utterances), beams.search, beams.output, beams.min_active, beams.max_active,
        seqframe_idx_name=frames,
    )  # fmt: skip


def to_k2(graph: DecodingGraph) -> k2.Fsa:
    """Return the graph as a k2 FSA; outputs are aux_labels."""
    table = np.stack([graph.sources, graph.targets, graph.labels, graph.scores.view(np.int32)], 1)
    return k2.Fsa(torch.from_numpy(table), aux_labels=torch.from_numpy(graph.outputs))


_vectors: WeakKeyDictionary[DecodingGraph, k2.Fsa] = WeakKeyDictionary()


def as_vector(graph: DecodingGraph) -> k2.Fsa:
    """Return the graph as the vector of FSAs that k2 intersects.

    It is made once, because making it visits every arc: a graph in use must not be changed.
    """
    if graph not in _vectors:
        _vectors[graph] = k2.create_fsa_vec([to_k2(graph)])
        _vectors[graph].graph_scores = _vectors[graph].scores.clone()
    return _vectors[graph]


def dense(utterances: Sequence[Tensor]) -> k2.DenseFsaVec:
    """Pack scores (frames, senones) of utterances that are sorted longest first for k2."""
    batch = pad_sequence(list(utterances), batch_first=True)
    batch = torch.nn.functional.pad(batch, (1, 0), value=-1e30)  # label 0 does not exist
    return k2.DenseFsaVec(batch, torch.tensor([[n, 0, len(u)] for n, u in enumerate(utterances)], dtype=torch.int32))


def _rescaled(lattice: k2.Fsa, rescale: Rescale, said: Tensor | None) -> k2.Fsa:
    """Return a rescaled copy; `said`: (arcs,) number of words on each arc, if the rescaling changes their cost."""
    offset = torch.nn.functional.pad(rescale.offset, (1, 0))[lattice.labels.long().clamp(min=0)]  # final arcs: 0
    acoustic = lattice.scores - lattice.graph_scores
    changed = lattice.clone()
    changed.scores = lattice.graph_scores + rescale.factor * acoustic + offset
    if rescale.word:
        if said is None:
            raise ValueError("what words cost cannot be changed without the words on the arcs")
        changed.scores = changed.scores - rescale.word * said
    return changed


def _said(graph: DecodingGraph, lattice: k2.Fsa) -> Tensor:
    """(arcs,) number of words on each arc."""
    return torch.from_numpy(word_counts(graph, lattice.aux_labels.numpy()))


def _best_words(lattice: k2.Fsa, graph: DecodingGraph, path: bool) -> tuple[list[Words], list[list[int]]]:
    """Return the words of each lattice's best path and, if `path` is true, its senones."""
    paths = k2.shortest_path(lattice, use_double_scores=True)
    shape = paths.arcs.shape()
    states = shape.row_splits(1).long()
    arcs = shape.row_splits(2).long()[states].tolist()
    labels, of_words = paths.labels.tolist() if path else [], paths.aux_labels.tolist()
    words = [words_of(graph, of_words[begin:end]) if end > begin else None for begin, end in pairwise(arcs)]
    return words, [[label - 1 for label in labels[begin:end] if label > 0] for begin, end in pairwise(arcs)]


def _drawn_words(lattice: k2.Fsa, graph: DecodingGraph, draws: int, best: list[Words]) -> list[list[list[int]]]:
    """Return the words of `draws` random paths of each lattice; none where it is empty."""
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


def word_lattices(lattice: k2.Fsa, graph: DecodingGraph) -> list[WordLattice | None]:
    """Return the word lattice of each of `lattices`, in their order; None where one is empty."""
    states = lattice.arcs.shape().row_splits(1).tolist()
    begins = lattice.arcs.shape().row_splits(2)[states].tolist()
    table, costs = lattice.arcs.values()[:, :2].tolist(), (-lattice.scores).tolist()
    words = [words_of(graph, [label]) for label in lattice.aux_labels.tolist()]
    return [
        determinised(table[a:b], words[a:b], costs[a:b], last - first) if b > a else None
        for (a, b), (first, last) in zip(pairwise(begins), pairwise(states))
    ]


def occupancies(graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, best_path: bool) -> Occupancies:
    """See `search.occupancies`."""
    order = sorted(range(len(utterances)), key=lambda i: -len(utterances[i]))
    found = lattices(graph, [utterances[i] for i in order], beams, "seqframe")
    if best_path:
        found = k2.shortest_path(found, use_double_scores=True)
    shares, emits = found.get_arc_post(use_double_scores=True, log_semiring=True).exp(), found.labels > 0
    shape = found.arcs.shape()
    place = shape.row_ids(1)[shape.row_ids(2).long()].long()[emits]
    lengths = torch.tensor([len(utterances[i]) + 1 for i in order])  # one frame more, for final arcs
    frames = found.seqframe[emits].long() - (lengths.cumsum(0) - lengths)[place]
    return Occupancies(torch.tensor(order)[place], frames, found.labels[emits].long() - 1, shares[emits])


class Online:
    """The search of one utterance that arrives piece by piece.

    The online intersection of k2 1.23 goes on only from final states of the graph (in a CTC topology, all states are
    final). So it searches a graph in which all states are final; so does that of 1.24, which does not need it. What
    the beams keep depends on where pieces end: they adapt from frame to frame, and k2 prunes between pieces.
    """

    def __init__(self, graph: DecodingGraph, beams: Beams) -> None:
        self._intersecter = k2.OnlineDenseIntersecter(
            _as_endless(graph), 1, beams.search, beams.output, beams.min_active, beams.max_active
        )
        self._states = [_beginning()]

    def __call__(self, scores: Tensor) -> tuple[list[int], list[int]] | None:
        """Search on with (frames, senones) more scores.

        Returns:
            Outputs and senones of the best path so far, wherever it may end; None: no path is left.
        """
        lattice, self._states = self._intersecter.decode(dense([scores]), self._states)
        if lattice.arcs.num_elements() == 0:
            return None
        path = k2.shortest_path(lattice, use_double_scores=True)
        return path.aux_labels.tolist(), [label - 1 for label in path.labels.tolist() if label > 0]


def _beginning() -> k2.DecodeStateInfo | None:
    """Return the state at a stream's start: newer releases of k2 make one, older ones cannot and take None."""
    try:
        return k2.DecodeStateInfo()
    except TypeError:
        return None


_endless: WeakKeyDictionary[DecodingGraph, k2.Fsa] = WeakKeyDictionary()


def _as_endless(graph: DecodingGraph) -> k2.Fsa:
    """Return `endless` of the graph as k2 intersects it; like `as_vector`, it is made once."""
    if graph not in _endless:
        _endless[graph] = k2.create_fsa_vec([to_k2(endless(graph))])
    return _endless[graph]


def endless(graph: DecodingGraph) -> DecodingGraph:
    """Return the graph with every state final at no cost."""
    going, end = graph.labels != -1, graph.states - 1
    ends = np.arange(end, dtype=np.int32)
    order = np.argsort(np.concatenate([graph.sources[going], ends]), kind="stable")

    def with_ends(of_arcs: np.ndarray, of_ends: np.ndarray | float) -> np.ndarray:
        return np.concatenate([of_arcs[going], np.broadcast_to(of_ends, ends.shape).astype(of_arcs.dtype)])[order]

    return replace(
        graph, sources=with_ends(graph.sources, ends), targets=with_ends(graph.targets, end),
        labels=with_ends(graph.labels, -1), outputs=with_ends(graph.outputs, -1), scores=with_ends(graph.scores, 0.0),
    )  # fmt: skip
