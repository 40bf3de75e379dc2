"""A decoding graph as token passing wants it: the arcs of a state lie side by side, epsilons first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .decoding_graph import DecodingGraph
from .graph_arcs import FINAL, Sequences


class Taken(Protocol):
    """Some arcs, n of them. Columns are fetched when they are asked for: most arcs are left for what they cost."""

    @property
    def costs(self) -> np.ndarray:
        """(n,) float32, nats"""

    @property
    def senones(self) -> np.ndarray:
        """(n,); those of epsilons mean nothing"""

    def targets(self, kept: np.ndarray) -> np.ndarray:
        """(m,) int64, of m of them."""

    def outputs(self, kept: np.ndarray) -> np.ndarray:
        """(m,) of m of them, word or sequence of words; 0: none"""


class Net(Protocol):
    """What is asked of one."""

    @property
    def states(self) -> int:
        """Their number."""

    @property
    def sequences(self) -> Sequences:
        """What outputs stand for that are no words; those that are met on the way through epsilons are added."""

    def arcs(self, which: np.ndarray) -> Taken:
        """Those of these numbers."""

    def epsilons(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """(n,) int64 first epsilon of each of n states, and the first arc that is none; None: the graph has none."""

    def with_input(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) int64 first arc with input of each of n states, and the first that is the next state's."""

    def ends(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) float32 cost of ending in each of n states, infinite where no utterance may; (n,) its output."""


class Columns(NamedTuple):
    """All arcs."""

    targets: np.ndarray
    """(arcs,) int64"""
    senones: np.ndarray
    """(arcs,) int64"""
    outputs: np.ndarray
    """(arcs,) int64"""
    costs: np.ndarray
    """(arcs,) float32"""


class _TakenOfColumns:
    def __init__(self, every: Columns, which: np.ndarray) -> None:
        self._every, self._which = every, which

    @property
    def costs(self) -> np.ndarray:
        return self._every.costs[self._which]

    @property
    def senones(self) -> np.ndarray:
        return self._every.senones[self._which]

    def targets(self, kept: np.ndarray) -> np.ndarray:
        return self._every.targets[self._which[kept]]

    def outputs(self, kept: np.ndarray) -> np.ndarray:
        return self._every.outputs[self._which[kept]]


@dataclass(frozen=True, eq=False)
class ArrayNet:
    """One in arrays."""

    begins: np.ndarray
    """(states + 1,) int64, number of each state's first arc"""
    silent: np.ndarray | None
    """(states,) int64, how many of its arcs are epsilons; None: the graph has none"""
    every: Columns
    final_costs: np.ndarray
    """(states,) float32"""
    final_outputs: np.ndarray
    """(states,) int64"""
    sequences: Sequences

    @classmethod
    def of(cls, graph: DecodingGraph) -> ArrayNet:
        """Its arcs are sorted by source, and those of a state by label.

        Where the graph has epsilons, a search may add to its sequences of words.
        """
        final = graph.labels == FINAL
        outputs, costs = graph.outputs.clip(0).astype(np.int64), -graph.scores
        ends, end_outputs = np.full(graph.states, np.inf, np.float32), np.zeros(graph.states, np.int64)
        ends[graph.sources[final]], end_outputs[graph.sources[final]] = costs[final], outputs[final]
        begins = np.searchsorted(graph.sources[~final], np.arange(graph.states + 1))
        silent = np.bincount(graph.sources[graph.labels == 0], minlength=graph.states)
        targets, senones, words = (one[~final].astype(np.int64) for one in (graph.targets, graph.labels - 1, outputs))
        every = Columns(targets, senones, words, costs[~final])
        sequences = Sequences.adding_to(graph.sequence_base, graph.word_sequences)
        return cls(begins, silent if silent.any() else None, every, ends, end_outputs, sequences)

    @property
    def states(self) -> int:
        """Their number."""
        return len(self.final_costs)

    def arcs(self, which: np.ndarray) -> Taken:
        """Those of these numbers."""
        return _TakenOfColumns(self.every, which)

    def epsilons(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """See `Net`."""
        if self.silent is None:
            return None
        begins = self.begins[states]
        return begins, begins + self.silent[states]

    def with_input(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Net`."""
        begins, ends = self.begins[states], self.begins[states + 1]
        return (begins if self.silent is None else begins + self.silent[states]), ends

    def ends(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Net`."""
        return self.final_costs[states], self.final_outputs[states]
