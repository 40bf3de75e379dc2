"""Arcs of a graph that is being built, as arrays: a graph of 65 000 words has too many for Python lists."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .openfst import Fst

FINAL = -1
"""label of an arc to the end"""


@dataclass(frozen=True, eq=False)
class Arcs:
    """Arcs in any order. State 0 is the start; a final weight is an arc, which may carry words, with the label −1."""

    sources: np.ndarray
    """(arcs,) int32"""
    targets: np.ndarray
    """(arcs,) int32; meaningless on final arcs"""
    labels: np.ndarray
    """(arcs,) int32 inputs, 0: none"""
    outputs: np.ndarray
    """(arcs,) int32, 0: none"""
    costs: np.ndarray
    """(arcs,) float32, nats"""

    def where(self, chosen: np.ndarray | slice) -> Arcs:
        """Return the arcs that numbers, a mask (arcs,) or a slice choose."""
        return Arcs(*(values[chosen] for values in self.columns))

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All arrays, in the order of the constructor."""
        return self.sources, self.targets, self.labels, self.outputs, self.costs

    @classmethod
    def joined(cls, parts: list[Arcs]) -> Arcs:
        """Concatenate arcs."""
        return cls(*(np.concatenate(values) for values in zip(*(part.columns for part in parts), strict=True)))

    @classmethod
    def of(
        cls, sources: ArrayLike, targets: ArrayLike, labels: ArrayLike, outputs: ArrayLike, costs: ArrayLike
    ) -> Arcs:
        """Make arcs of numbers of any width."""
        narrow = {"sources": sources, "targets": targets, "labels": labels, "outputs": outputs}
        numbers = {name: np.asarray(values).astype(np.int32) for name, values in narrow.items()}
        return cls(**numbers, costs=np.asarray(costs).astype(np.float32))

    @classmethod
    def of_fst(cls, fst: Fst) -> Arcs:
        """Return the arcs of a transducer, with its states renumbered so that the start is 0."""
        swapped = np.arange(len(fst.finals), dtype=np.int32)
        swapped[[0, fst.start]] = swapped[[fst.start, 0]]
        ends = np.flatnonzero(np.isfinite(fst.finals)).astype(np.int32)
        labels, outputs, weights, targets = fst.arcs.T
        inner = cls(swapped[fst.sources], swapped[targets], labels, outputs, weights.copy().view(np.float32))
        nothing = np.zeros_like(ends)
        return cls.joined([inner, cls(swapped[ends], nothing, nothing + FINAL, nothing, fst.finals[ends])])

    def to_fst(self, marker: int) -> Fst:
        """Return a transducer in which final arcs have the label `marker` and lead to a state of their own."""
        ending, end = self.labels == FINAL, self.states
        order = np.argsort(self.sources, kind="stable")
        labels, targets = np.where(ending, marker, self.labels), np.where(ending, end, self.targets)
        arcs = np.stack([labels, self.outputs, self.costs.view(np.int32), targets], 1)[order]
        finals = np.full(end + 1, np.inf, np.float32)
        finals[end] = 0.0
        return Fst(arcs.astype(np.int32), self.sources[order], finals, 0)

    @property
    def states(self) -> int:
        """Number of states, without the end."""
        inner = self.targets[self.labels != FINAL]
        return 1 + max(int(self.sources.max(initial=0)), int(inner.max(initial=0)))


class Sequences:
    """Numbers, from `base` on, for the outputs of arcs that carry several words."""

    def __init__(self, base: int, known: Iterable[tuple[int, ...]] = ()) -> None:
        """`known`: the sequences that have numbers already, in order."""
        self.base = base
        self.known = list(known)
        self._numbers = {words: base + n for n, words in enumerate(self.known)}

    @classmethod
    def adding_to(cls, base: int, known: list[tuple[int, ...]]) -> Sequences:
        """Make the sequences of a graph, whose own list, `known`, grows with them."""
        found = cls(base, known)
        found.known = known
        return found

    def number(self, words: tuple[int, ...]) -> int:
        """Return the number of a sequence: 0 for no word, the id of a single word below `base`."""
        if len(words) < 2 and sum(words) < self.base:
            return sum(words)
        if words not in self._numbers:
            self._numbers[words] = self.base + len(self.known)
            self.known.append(words)
        return self._numbers[words]

    def words(self, number: int) -> tuple[int, ...]:
        """Return the word ids that a number stands for."""
        if number >= self.base:
            return self.known[number - self.base]
        return (number,) if number else ()

    def after(self, words: tuple[int, ...], outputs: np.ndarray) -> np.ndarray:
        """Return the numbers of `words` followed by each of the outputs (n,)."""
        if not words:
            return outputs
        return np.array([self.number((*words, word) if word else words) for word in outputs.tolist()], np.int32)

    def joined(self, before: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return the numbers, (n,) int64, of the words of `before` (n,) followed by those of `outputs` (n,)."""
        found = np.where(before == 0, outputs, before).astype(np.int64)
        for one in np.flatnonzero((before > 0) & (outputs > 0)).tolist():
            found[one] = self.number(self.words(int(before[one])) + self.words(int(outputs[one])))
        return found


def without_input_epsilons(arcs: Arcs, base: int) -> tuple[Arcs, list[tuple[int, ...]]]:
    """Return an equivalent graph (best costs) without epsilon inputs.

    Words on epsilons move to the next arc; several words on one arc get a number from `base` on.

    Returns:
        The graph, and the word tuples that the numbers `base`, `base + 1`, ... stand for.
    """
    arcs = arcs.where(np.argsort(arcs.sources, kind="stable"))
    silent = arcs.labels == 0
    spoken, epsilons = _ByState(arcs.where(~silent)), _ByState(arcs.where(silent))
    # States that only epsilons enter are left out: the arcs that leave them leave the states before instead.
    entered = np.unique(np.append(arcs.targets[arcs.labels > 0], 0))
    leaking = entered[np.isin(entered, epsilons.arcs.sources)]
    plain = np.isin(spoken.arcs.sources, entered) & ~np.isin(spoken.arcs.sources, leaking)
    sequences, parts = Sequences(base), [spoken.arcs.where(plain)]
    for state in leaking.tolist():
        for (reached, words), cost in _closure(epsilons, state).items():
            some = spoken.of(reached)
            parts.append(Arcs(
                np.full(len(some.sources), state, np.int32), some.targets, some.labels,
                sequences.after(words, some.outputs), some.costs + np.float32(cost),
            ))  # fmt: skip
    return _cheapest(Arcs.joined(parts)), sequences.known


class _ByState:
    """Arcs sorted by source, to look up those of a state."""

    def __init__(self, arcs: Arcs) -> None:
        self.arcs = arcs
        self._begins = np.searchsorted(arcs.sources, np.arange(int(arcs.sources.max(initial=0)) + 2)).tolist()

    def of(self, state: int) -> Arcs:
        if state + 1 >= len(self._begins):
            return self.arcs.where(slice(0))
        return self.arcs.where(slice(self._begins[state], self._begins[state + 1]))


def _closure(epsilons: _ByState, state: int) -> dict[tuple[int, tuple[int, ...]], float]:
    """Return the least cost to each (state, words) that is reached through epsilon inputs."""
    best: dict[tuple[int, tuple[int, ...]], float] = {}
    queue: list[tuple[float, int, tuple[int, ...]]] = [(0.0, state, ())]
    while queue:
        cost, here, words = heapq.heappop(queue)
        if (here, words) in best:
            continue
        best[here, words] = cost
        some = epsilons.of(here)
        for target, word, weight in zip(some.targets.tolist(), some.outputs.tolist(), some.costs.tolist(), strict=True):
            said = (*words, word) if word else words
            if (target, said) not in best:
                heapq.heappush(queue, (cost + weight, target, said))
    return best


def _cheapest(arcs: Arcs) -> Arcs:
    """Keep the cheapest of arcs that differ in their cost alone."""
    targets = np.where(arcs.labels == FINAL, 0, arcs.targets)
    keys = arcs.sources, targets, arcs.labels, arcs.outputs
    order = np.lexsort((arcs.costs, *reversed(keys)))
    kept = np.ones(len(order), bool)
    kept[1:] = np.any([key[order[1:]] != key[order[:-1]] for key in keys], 0)
    return arcs.where(order[kept])


def with_one_end_each(arcs: Arcs) -> Arcs:
    """Return an equivalent graph in which no state has several final arcs, as final homophones give it.

    Each final arc but the cheapest gets a copy of the state, entered by copies of the arcs that enter the state.
    (An utterance without frames ends in the cheapest way alone.)
    """
    final = np.flatnonzero(arcs.labels == FINAL)
    final = final[np.lexsort((arcs.costs[final], arcs.sources[final]))]
    again = np.append(False, arcs.sources[final[1:]] == arcs.sources[final[:-1]]).astype(bool)
    others = arcs.where(final[again])
    kept = np.ones(len(arcs.sources), bool)
    kept[final[again]] = False
    own = arcs.states + np.arange(len(others.sources), dtype=np.int32)
    inner = np.flatnonzero(arcs.labels != FINAL)
    inner = inner[np.argsort(arcs.targets[inner], kind="stable")]
    begins, ends = (np.searchsorted(arcs.targets[inner], others.sources, side) for side in ("left", "right"))
    entries = arcs.where(inner[ranges(begins, ends)])
    entries = replace(entries, targets=np.repeat(own, ends - begins))
    return Arcs.joined([arcs.where(kept), entries, replace(others, sources=own)])


def ranges(begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the numbers from each begin up to its end (exclusive), one range after the other."""
    counts = ends - begins
    return np.arange(counts.sum()) + np.repeat(begins - (np.cumsum(counts) - counts), counts)


def reachable(sources: np.ndarray, targets: np.ndarray, begin: np.ndarray, states: int) -> np.ndarray:
    """Return (states,) whether each can be reached from those of `begin`, by breadth-first search."""
    order = np.argsort(sources, kind="stable")
    targets, begins = targets[order], np.searchsorted(sources[order], np.arange(states + 1))
    found = np.zeros(states, bool)
    found[begin] = True
    todo = np.flatnonzero(found)
    while len(todo):
        following = np.unique(targets[ranges(begins[todo], begins[todo + 1])])
        todo = following[~found[following]]
        found[todo] = True
    return found
