"""A decoding graph as arrays: what is compiled (`compose`), spliced, searched and written.

Labels are senone + 1, or -1 on final arcs. An output is a word id or, where an arc carries several words, an id of
`sequence_base` or above, which stands for a tuple in `word_sequences`. Most graphs have no epsilon inputs, which k2
would take for a symbol; in a graph compiled with epsilons their label is 0, and none of them leads to the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .graph_arcs import FINAL, Arcs
from .openfst import Fst


@dataclass(frozen=True, eq=False)
class DecodingGraph:
    """Arcs sorted by source, then by label with final arcs last; state 0 is the start, the last state is the end."""

    sources: np.ndarray
    """(arcs,) int32"""
    targets: np.ndarray
    """(arcs,) int32; final arcs, of which a state has at most one, lead to the end"""
    labels: np.ndarray
    """(arcs,) int32, senone + 1; -1 on final arcs"""
    outputs: np.ndarray
    """(arcs,) int32; no word is 0, on a final arc -1"""
    scores: np.ndarray
    """(arcs,) float32, log-probabilities (nats)"""
    word_sequences: list[tuple[int, ...]]
    """word ids that outputs from `sequence_base` on stand for; the search of a graph with epsilons adds to them"""
    sequence_base: int

    @classmethod
    def of(cls, arcs: Arcs, word_sequences: list[tuple[int, ...]], sequence_base: int) -> DecodingGraph:
        """Make the graph of arcs in any order, whose inputs are its labels."""
        final = arcs.labels == FINAL
        targets = np.where(final, np.int32(arcs.states), arcs.targets)
        outputs = np.where(final & (arcs.outputs == 0), np.int32(-1), arcs.outputs)
        columns = arcs.sources, targets, arcs.labels, outputs
        return cls._of_columns(columns, -arcs.costs, word_sequences, sequence_base)

    @classmethod
    def of_table(
        cls, rows: np.ndarray, scores: np.ndarray, word_sequences: list[tuple[int, ...]], sequence_base: int
    ) -> DecodingGraph:
        """Make the graph of arcs in any order: `rows` (arcs, 4) source, target, label and output; `scores` (arcs,)."""
        sources, targets, labels, outputs = rows.astype(np.int32, copy=False).T
        scores = scores.astype(np.float32, copy=False)
        return cls._of_columns((sources, targets, labels, outputs), scores, word_sequences, sequence_base)

    @classmethod
    def _of_columns(
        cls, columns: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], scores: np.ndarray,
        word_sequences: list[tuple[int, ...]], sequence_base: int,
    ) -> DecodingGraph:  # fmt: skip
        """Sort one column after another: a table of them all would be in memory several times over."""
        sources, targets, labels, outputs = columns
        order = np.lexsort((targets, labels.view(np.uint32), sources))  # as uint32, -1 is the last
        return cls(
            sources[order], targets[order], labels[order], outputs[order], scores[order], word_sequences, sequence_base
        )

    @property
    def has_epsilons(self) -> bool:
        """Whether some arcs have no input."""
        return bool((self.labels == 0).any())

    @property
    def states(self) -> int:
        """Number of states, the end among them."""
        return int(self.targets.max(initial=0)) + 1


def as_fst(graph: DecodingGraph) -> Fst:
    """Return the graph as an OpenFst transducer.

    A final arc becomes its state's final weight; one with words, an arc to the end without input.
    """
    final = graph.labels == FINAL
    silent = final & (graph.outputs <= 0)
    finals = np.full(graph.states, np.inf, np.float32)
    finals[graph.sources[silent]] = -graph.scores[silent]
    finals[-1] = 0.0
    labels = np.where(final, 0, graph.labels)
    arcs = np.stack([labels, graph.outputs, (-graph.scores).view(np.int32), graph.targets], 1)
    return Fst(arcs[~silent], graph.sources[~silent], finals, 0)


def of_fst(fst: Fst, word_sequences: list[tuple[int, ...]], sequence_base: int) -> DecodingGraph:
    """Return the graph from the FST that `as_fst` made of it."""
    end = len(fst.finals) - 1
    ends = np.flatnonzero(np.isfinite(fst.finals[:-1])).astype(np.int32)
    order = np.argsort(np.concatenate([fst.sources, ends]), kind="stable")  # a final arc is the last of its state
    labels, outputs, weights, targets = fst.arcs.T

    def together(of_arcs: np.ndarray, of_ends: np.ndarray | np.int32) -> np.ndarray:
        return np.concatenate([of_arcs, np.broadcast_to(of_ends, ends.shape)])[order]

    return DecodingGraph(
        together(fst.sources, ends), together(targets, np.int32(end)),
        together(np.where((labels == 0) & (targets == end), np.int32(FINAL), labels), np.int32(FINAL)),
        together(outputs, np.int32(-1)),
        -together(np.ascontiguousarray(weights).view(np.float32), fst.finals[ends]), word_sequences, sequence_base,
    )  # fmt: skip
