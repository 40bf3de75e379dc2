"""A shipped decoding graph as sherpa-onnx's search takes it.

Its decoder reads the best path's input labels as text, and its output labels one by one. So here an arc has one word at
most; several words are arcs in a row, the further ones without input. For readable text each pair of a senone and words
is an input label of its own, a column of the network's output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.device.openfst import Fst

Words = tuple[int, ...]


@dataclass(frozen=True)
class SherpaGraph:
    """Arcs' input labels are column + 1, their outputs numbers of words."""

    fst: Fst
    columns: np.ndarray
    """(columns,) senone of each; the first are all senones in their order"""
    said: list[Words]
    """the words of each column; the senones' own have none"""
    blank: int
    """column of the frames of a silence, but for its first"""


def as_sherpa(
    graph: Fst, sequences: list[Words], base: int, senones: int, silences: list[int], scale: float, readable: bool
) -> SherpaGraph:
    """The same paths at costs multiplied by `scale`.

    Args:
        graph: of `write_graph`.
        sequences: words that outputs from `base` on stand for.
        senones: of the network.
        silences: the senones of silence.
        readable: give each pair of senone and words a column.
    """
    words = _Words(base, sequences)
    graph = _ending_without_words(graph, words)
    labels, outputs, bits, targets = graph.arcs.T
    columns = np.arange(senones)
    said: list[Words] = [()] * senones
    if readable:
        telling = outputs > 0
        pairs, which = np.unique(np.stack([labels, outputs], 1)[telling], axis=0, return_inverse=True)
        labels = labels.copy()
        labels[telling] = senones + 1 + which.reshape(-1)
        columns = np.concatenate([columns, pairs[:, 0] - 1])
        said = said + [words.of(int(output)) for output in pairs[:, 1]]
    costs = np.ascontiguousarray(bits).view(np.float32) * np.float32(scale)
    arcs = np.stack([labels, outputs, costs.view(np.int32), targets], 1)
    fst = _one_word_an_arc(Fst(arcs, graph.sources, graph.finals * np.float32(scale), graph.start), words)
    return SherpaGraph(fst, columns, said, _blank(graph, silences))


class _Words:
    """Numbers of words and of sequences of them."""

    def __init__(self, base: int, sequences: list[Words]) -> None:
        self.base, self._sequences = base, list(sequences)
        self._numbers = {words: base + n for n, words in enumerate(sequences)}

    def of(self, output: int) -> Words:
        if output >= self.base:
            return self._sequences[output - self.base]
        return (output,) if output else ()

    def number(self, words: Words) -> int:
        """Of words in a row; a new one where there is none yet."""
        if len(words) < 2:
            return words[0] if words else 0
        if words not in self._numbers:
            self._numbers[words] = self.base + len(self._sequences)
            self._sequences.append(words)
        return self._numbers[words]


def _ending_without_words(graph: Fst, words: _Words) -> Fst:
    """The same with each word on an arc that hears a frame.

    Words at the end of a path are on an arc without input from the last phone's state. That state gets a twin, from
    which a path can only end: with its own loop, and with a twin of each other arc to it, which has these words too.
    """
    ends = np.flatnonzero(graph.arcs[:, 0] == 0)
    if not len(ends):
        return graph
    order = np.argsort(graph.arcs[:, 3], kind="stable")
    bounds = np.searchsorted(graph.arcs[order, 3], np.arange(len(graph.finals) + 1))
    more: list[list[int]] = []
    froms: list[int] = []
    finals: list[float] = []
    for end in ends:
        _, output, bits, last = graph.arcs[end]
        state, twin = graph.sources[end], len(graph.finals) + len(finals)
        finals.append(bits.view(np.float32) + graph.finals[last])
        for arc in order[bounds[state] : bounds[state + 1]]:
            label, before, cost, _ = graph.arcs[arc]
            again = graph.sources[arc] == state and not before
            said = before if again else words.number((*words.of(int(before)), *words.of(int(output))))
            more.append([label, said, cost, twin])
            froms.append(twin if again else graph.sources[arc])
    whole = np.ones(len(graph.arcs), bool)
    whole[ends] = False
    return _with(graph, whole, more, froms, finals)


def _one_word_an_arc(graph: Fst, words: _Words) -> Fst:
    arcs, states = graph.arcs.copy(), len(graph.finals)
    more: list[list[int]] = []
    froms: list[int] = []
    for arc in np.flatnonzero(arcs[:, 1] >= words.base):
        first, *others = words.of(int(arcs[arc, 1]))
        target, chain = int(arcs[arc, 3]), range(states, states + len(others))
        states += len(others)
        arcs[arc, 1], arcs[arc, 3] = first, chain[0]
        froms += chain
        more += [[0, word, 0, after] for word, after in zip(others, [*chain[1:], target])]
    finals = [np.inf] * (states - len(graph.finals))
    return _with(graph._replace(arcs=arcs), np.ones(len(arcs), bool), more, froms, finals)


def _with(graph: Fst, kept: np.ndarray, arcs: list[list[int]], sources: list[int], finals: list[float]) -> Fst:
    """Those arcs that are kept, with further arcs and states."""
    every = np.concatenate([graph.arcs[kept], np.array(arcs, np.int32).reshape(-1, 4)])
    begins = np.concatenate([graph.sources[kept], np.array(sources, np.int32)])
    order = np.argsort(begins, kind="stable")
    ends = np.concatenate([graph.finals, np.array(finals, np.float32)])
    return Fst(np.ascontiguousarray(every[order]), begins[order], ends, graph.start)


def _blank(graph: Fst, silences: list[int]) -> int:
    """The senone of silence that is on most self-loops: a phone's first frame has another."""
    loops = graph.arcs[graph.sources == graph.arcs[:, 3], 0] - 1
    return max(silences, key=lambda senone: int((loops == senone).sum()))
