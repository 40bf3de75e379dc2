"""A shipped decoding graph in the form that sherpa-onnx's search takes.

Its decoder reads the best path's input labels as text, and its output labels one by one. So here an arc has at most
one word; several words are arcs in a row, all but the first without input. For readable text each pair of a senone and
words is an input label of its own, a column of the network's output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.device.graph_arcs import Sequences, ranges
from understudy.device.openfst import Fst

Words = tuple[int, ...]


@dataclass(frozen=True)
class SherpaGraph:
    """A graph for sherpa-onnx: input labels are column + 1, outputs are word ids."""

    fst: Fst
    columns: np.ndarray
    """(columns,) senone of each; the first are all senones in their order"""
    said: list[Words]
    """words of each column; the senones' own columns have none"""
    blank: int
    """column of the frames of silence but the first"""


def as_sherpa(
    graph: Fst, sequences: list[Words], base: int, senones: int, silences: list[int], scale: float, readable: bool
) -> SherpaGraph:
    """Return a graph for sherpa-onnx with the same paths, at costs multiplied by `scale`.

    Args:
        graph: one that `write_graph` wrote.
        sequences: words that outputs from `base` on stand for.
        senones: number of the network's senones.
        silences: the senones of silence.
        readable: give each pair of senone and words a column.
    """
    numbers = Sequences(base, sequences)
    graph = _with_words_on_frames(graph, numbers)
    labels, outputs, bits, targets = graph.arcs.T
    columns = np.arange(senones)
    said: list[Words] = [()] * senones
    if readable:
        telling = outputs > 0
        pairs, which = np.unique(np.stack([labels, outputs], 1)[telling], axis=0, return_inverse=True)
        labels = labels.copy()
        labels[telling] = senones + 1 + which.reshape(-1)
        columns = np.concatenate([columns, pairs[:, 0] - 1])
        said = said + [numbers.words(int(output)) for output in pairs[:, 1]]
    costs = _costs(bits) * np.float32(scale)
    arcs = np.stack([labels, outputs, costs.view(np.int32), targets], 1)
    fst = _one_word_an_arc(Fst(arcs, graph.sources, graph.finals * np.float32(scale), graph.start), numbers)
    return SherpaGraph(fst, columns, said, _blank(graph, silences))


def _with_words_on_frames(graph: Fst, sequences: Sequences) -> Fst:
    """Return an equivalent graph with each word on an arc that consumes a frame.

    Words on an arc without input follow the last phone's state. That state gets a twin, which continues where the arc
    leads: with its own loop, and with a twin of each other arc to it, which has these words too. Where no frame comes
    before, words move to the next arc with input.
    """
    while len(worded := np.flatnonzero((graph.arcs[:, 0] == 0) & (graph.arcs[:, 1] > 0))):
        first = graph.sources[worded] == graph.start
        graph = _later(graph, worded[first], sequences) if first.any() else _twins(graph, worded, sequences)
        graph = _without_dead_ends(graph)
    return graph


def _later(graph: Fst, worded: np.ndarray, sequences: Sequences) -> Fst:
    """Join each of these arcs, which leave the start, with each arc that follows it. The joined arcs leave a new start,
    before which there is no frame; the old one becomes a state like any other, if arcs lead there."""
    targets = graph.arcs[worded, 3]
    begins, ends = (np.searchsorted(graph.sources, targets, side) for side in ("left", "right"))
    following, of = ranges(begins, ends), np.repeat(np.arange(len(worded)), ends - begins)
    labels, outputs, bits, leads = graph.arcs[following].T
    said = sequences.joined(graph.arcs[worded[of], 1], outputs)
    costs = _costs(bits) + _costs(graph.arcs[worded[of], 2])
    others = np.setdiff1d(np.flatnonzero(graph.sources == graph.start), worded)
    arcs = np.concatenate([graph.arcs[others], np.stack([labels, said, costs.view(np.int32), leads], 1)])
    start, every = len(graph.finals), np.ones(len(graph.arcs), bool)
    made = _with(graph, every, arcs, np.full(len(arcs), start), graph.finals[[graph.start]])
    return made._replace(start=start)


def _costs(bits: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(bits).view(np.float32)


def _twins(graph: Fst, worded: np.ndarray, sequences: Sequences) -> Fst:
    """Make a twin of the state that each of these arcs leaves; arcs without input that lead there are done next."""
    states, twins = graph.sources[worded], len(graph.finals) + np.arange(len(worded))
    order = np.argsort(graph.arcs[:, 3], kind="stable")
    begins, ends = (np.searchsorted(graph.arcs[order, 3], states, side) for side in ("left", "right"))
    incoming, of = order[ranges(begins, ends)], np.repeat(np.arange(len(worded)), ends - begins)
    labels, before, bits, _ = graph.arcs[incoming].T
    again = (graph.sources[incoming] == states[of]) & (before == 0)
    said = np.where(again, before, sequences.joined(before, graph.arcs[worded[of], 1]))
    copies = np.stack([labels, said, bits, twins[of]], 1)
    froms = np.where(again, twins[of], graph.sources[incoming])
    targets, costs = graph.arcs[worded, 3], graph.arcs[worded, 2]
    ending = np.bincount(graph.sources, minlength=len(graph.finals))[targets] == 0
    finals = np.where(ending, _costs(costs) + graph.finals[targets], np.float32(np.inf))
    on = np.flatnonzero(~ending)
    leaving = np.stack([0 * on, 0 * on, costs[on], targets[on]], 1)
    whole = np.ones(len(graph.arcs), bool)
    whole[worded] = False
    return _with(graph, whole, np.concatenate([copies, leaving]), np.append(froms, twins[on]), finals)


def _without_dead_ends(graph: Fst) -> Fst:
    """Return the graph without arcs to dead ends: states whose arcs all went to their twins."""
    while True:
        targets = graph.arcs[:, 3]
        alive = np.isfinite(graph.finals)
        alive[graph.sources[graph.sources != targets]] = True
        kept = alive[targets] & alive[graph.sources]
        if kept.all():
            return graph
        graph = Fst(np.ascontiguousarray(graph.arcs[kept]), graph.sources[kept], graph.finals, graph.start)


def _one_word_an_arc(graph: Fst, sequences: Sequences) -> Fst:
    arcs, states = graph.arcs.copy(), len(graph.finals)
    more: list[list[int]] = []
    froms: list[int] = []
    for arc in np.flatnonzero(arcs[:, 1] >= sequences.base):
        first, *others = sequences.words(int(arcs[arc, 1]))
        target, chain = int(arcs[arc, 3]), range(states, states + len(others))
        states += len(others)
        arcs[arc, 1], arcs[arc, 3] = first, chain[0]
        froms += chain
        more += [[0, word, 0, after] for word, after in zip(others, [*chain[1:], target])]
    finals = np.full(states - len(graph.finals), np.inf)
    every = np.ones(len(arcs), bool)
    return _with(graph._replace(arcs=arcs), every, np.array(more).reshape(-1, 4), np.array(froms), finals)


def _with(graph: Fst, kept: np.ndarray, arcs: np.ndarray, sources: np.ndarray, finals: np.ndarray) -> Fst:
    """Return the graph of the arcs `kept`, with further arcs and states."""
    every = np.concatenate([graph.arcs[kept], arcs.astype(np.int32)])
    begins = np.concatenate([graph.sources[kept], sources.astype(np.int32)])
    order = np.argsort(begins, kind="stable")
    ends = np.concatenate([graph.finals, finals.astype(np.float32)])
    return Fst(np.ascontiguousarray(every[order]), begins[order], ends, graph.start)


def _blank(graph: Fst, silences: list[int]) -> int:
    """Return the silence senone that is on most self-loops: the first frame of a phone has another."""
    loops = graph.arcs[graph.sources == graph.arcs[:, 3], 0] - 1
    return max(silences, key=lambda senone: int((loops == senone).sum()))
