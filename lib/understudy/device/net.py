"""A decoding graph as token passing wants it: the arcs of a state lie side by side, epsilons first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .decoding_graph import DecodingGraph
from .graph_arcs import FINAL, Sequences


@dataclass(frozen=True, eq=False)
class Net:
    """Of any integers that are wide enough: those of a large graph are narrow, and may be mapped from a file."""

    begins: np.ndarray
    """(states + 1,), number of each state's first arc"""
    silent: np.ndarray | None
    """(states,), how many of its arcs are epsilons; None: the graph has none"""
    targets: np.ndarray
    """(arcs,)"""
    senones: np.ndarray
    """(arcs,); those of epsilons mean nothing"""
    outputs: np.ndarray
    """(arcs,), word or sequence of words; 0: none"""
    costs: np.ndarray
    """(arcs,) of floats, nats"""
    final_costs: np.ndarray
    """(states,) of floats, infinite where no utterance may end"""
    final_outputs: np.ndarray
    """(states,)"""
    sequences: Sequences
    """what outputs stand for that are no words; those that are met on the way through epsilons are added"""

    @classmethod
    def of(cls, graph: DecodingGraph) -> Net:
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
        sequences = Sequences.adding_to(graph.sequence_base, graph.word_sequences)
        return cls(
            begins, silent if silent.any() else None, targets, senones, words, costs[~final], ends, end_outputs,
            sequences,
        )  # fmt: skip

    def with_input(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) first arc with input of each of n states, and the first that is the next state's."""
        begins, ends = self.begins[states].astype(np.int64), self.begins[states + 1].astype(np.int64)
        return (begins if self.silent is None else begins + self.silent[states]), ends

    def epsilons(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) first epsilon of each of n states, and the first arc with input."""
        return self.begins[states].astype(np.int64), self.with_input(states)[0]
