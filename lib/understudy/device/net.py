"""A decoding graph in the form that token passing needs: the arcs of a state lie side by side, epsilons first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .decoding_graph import DecodingGraph
from .graph_arcs import FINAL, Sequences


class Taken(Protocol):
    """A selection of n arcs. Columns are fetched on demand: most arcs are dropped for their costs alone."""

    @property
    def costs(self) -> np.ndarray:
        """Costs, (n,) float32, nats."""

    @property
    def senones(self) -> np.ndarray:
        """Senones, (n,); meaningless for epsilons."""

    def targets(self, kept: np.ndarray) -> np.ndarray:
        """Return target states, (m,) int64, of m arcs of the selection."""

    def outputs(self, kept: np.ndarray) -> np.ndarray:
        """Return outputs, (m,), of m arcs of the selection: word or sequence of words; 0: none."""


class Net(Protocol):
    """What token passing asks of a decoding graph."""

    @property
    def states(self) -> int:
        """Number of states."""

    @property
    def sequences(self) -> Sequences:
        """Sequences of words that outputs stand for; those met on the way through epsilons are added."""

    def arcs(self, which: np.ndarray) -> Taken:
        """Return the arcs of the given numbers."""

    def epsilons(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return each state's first epsilon and first arc with input, (n,) int64 both; None: the graph has none."""

    def with_input(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each state's first arc with input and the first arc of the next state, (n,) int64 each."""

    def ends(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each state's cost of ending, (n,) float32, infinite where none may end, and its output, (n,)."""


class Columns(NamedTuple):
    """Columns of all arcs."""

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
    """A `Net` of arrays in memory."""

    begins: np.ndarray
    """(states + 1,) int64, number of each state's first arc"""
    silent: np.ndarray | None
    """(states,) int64, each state's number of epsilons; None: the graph has none"""
    every: Columns
    final_costs: np.ndarray
    """(states,) float32"""
    final_outputs: np.ndarray
    """(states,) int64"""
    sequences: Sequences

    @classmethod
    def of(cls, graph: DecodingGraph) -> ArrayNet:
        """Make the net of a graph, whose arcs are sorted by source, and those of a state by label.

        Where the graph has epsilons, a search may add sequences of words to it.
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
        """Number of states."""
        return len(self.final_costs)

    def arcs(self, which: np.ndarray) -> Taken:
        """Return the arcs of the given numbers."""
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
