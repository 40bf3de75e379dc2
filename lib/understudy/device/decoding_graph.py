"""A decoding graph as arrays: what is compiled (`compose`), spliced, searched and written.

Its labels are senone + 1, those of final arcs -1. Outputs are word ids; where an arc has to carry several words, an id
of `sequence_base` or above that stands for a tuple in `word_sequences`. Most graphs have no epsilon input, which k2
would take for a symbol; one that was compiled with epsilons has the label 0 there, and none of these leads to the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .graph_arcs import FINAL, Arcs
from .openfst import Fst


@dataclass(frozen=True, eq=False)
class DecodingGraph:
    """Arcs by where they begin, then by label, final ones last; state 0 is the start, the last one the end."""

    sources: np.ndarray
    """(arcs,) int32"""
    targets: np.ndarray
    """(arcs,) int32; of final arcs, of which a state has one at most, the end"""
    labels: np.ndarray
    """(arcs,) int32, senone + 1; of final arcs -1"""
    outputs: np.ndarray
    """(arcs,) int32: 0 is no word, -1 none on a final arc"""
    scores: np.ndarray
    """(arcs,) float32, log-probabilities (nats)"""
    word_sequences: list[tuple[int, ...]]
    """what outputs of `sequence_base` and above stand for; the search of a graph with epsilons adds to it"""
    sequence_base: int

    @classmethod
    def of(cls, arcs: Arcs, word_sequences: list[tuple[int, ...]], sequence_base: int) -> DecodingGraph:
        """The graph of arcs in any order; their inputs are labels."""
        final = arcs.labels == FINAL
        targets = np.where(final, np.int32(arcs.states), arcs.targets)
        outputs = np.where(final & (arcs.outputs == 0), np.int32(-1), arcs.outputs)
        columns = arcs.sources, targets, arcs.labels, outputs
        return cls._of_columns(columns, -arcs.costs, word_sequences, sequence_base)

    @classmethod
    def of_table(
        cls, rows: np.ndarray, scores: np.ndarray, word_sequences: list[tuple[int, ...]], sequence_base: int
    ) -> DecodingGraph:
        """The graph of arcs in any order: (arcs, 4) source, target, label and output, (arcs,) scores."""
        sources, targets, labels, outputs = rows.astype(np.int32, copy=False).T
        scores = scores.astype(np.float32, copy=False)
        return cls._of_columns((sources, targets, labels, outputs), scores, word_sequences, sequence_base)

    @classmethod
    def _of_columns(
        cls, columns: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], scores: np.ndarray,
        word_sequences: list[tuple[int, ...]], sequence_base: int,
    ) -> DecodingGraph:  # fmt: skip
        """A column after the other is sorted: a table of all would be in memory several times over."""
        sources, targets, labels, outputs = columns
        order = np.lexsort((targets, labels.view(np.uint32), sources))  # -1 is the last
        return cls(
            sources[order], targets[order], labels[order], outputs[order], scores[order], word_sequences, sequence_base
        )

    @property
    def has_epsilons(self) -> bool:
        """Whether some arcs have no input."""
        return bool((self.labels == 0).any())

    @property
    def states(self) -> int:
        """Their number, with the end."""
        return int(self.targets.max(initial=0)) + 1


def as_fst(graph: DecodingGraph) -> Fst:
    """In OpenFst's form.

    A final arc is a state's final weight; one with words is an arc without input to the end.
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
    """The graph that `as_fst` made an FST of."""
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
