"""Decoding graphs: arrays, words, files. `hclg` builds them; a search turns them into what it wants.

A graph has no epsilon input. Its labels are senone + 1 (0 stays unused, searches take it for a symbol), those of final
arcs -1. Outputs are word ids; where an arc has to carry several words, an id of `sequence_base` or above that stands
for a tuple in `word_sequences` (see `words_of`).

A folder holds it as HCLG.fst, in OpenFst's binary format (a VectorFst of the tropical semiring, which `kaldifst` and
the device read too), and HCLG.json: what that format has no place for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from understudy.device.openfst import Fst, read_fst, to_bytes
from understudy.step import UserError, atomic_path, read_json, write_json

Arc = tuple[int, int, int, int, float]
"""Source, destination, input, output, cost; state 0 is the start"""
Finals = dict[int, tuple[int, float]]
"""Output and cost by final state"""

GRAPH, ABOUT = "HCLG.fst", "HCLG.json"
GRAPH_FILES = (GRAPH, ABOUT)
_FINAL = -1


class ContextTree(Protocol):
    """What a graph asks of a phonetic decision tree."""

    num_senones: int

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        """Senone of a phone in context; phone 0 is "no phone" at an edge."""


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
    word_sequences: Sequence[tuple[int, ...]]
    """what outputs of `sequence_base` and above stand for"""
    sequence_base: int

    @classmethod
    def of(
        cls, arcs: Sequence[Arc], finals: Finals, word_sequences: Sequence[tuple[int, ...]], sequence_base: int
    ) -> DecodingGraph:
        """The graph of arcs in any order; their inputs are labels."""
        end = 1 + max(max(source, target) for source, target, *_ in arcs)
        rows = [arc[:4] for arc in arcs] + [(state, end, _FINAL, word or -1) for state, (word, _) in finals.items()]
        costs = [arc[4] for arc in arcs] + [cost for _, cost in finals.values()]
        table = np.array(rows, np.int64).astype(np.int32)
        order = np.lexsort((table[:, 1], table[:, 2].view(np.uint32), table[:, 0]))  # -1 is the last
        sources, targets, labels, outputs = (np.ascontiguousarray(column) for column in table[order].T)
        scores = -np.array(costs, np.float32)[order]
        return cls(sources, targets, labels, outputs, scores, word_sequences, sequence_base)

    @property
    def states(self) -> int:
        """Their number, with the end."""
        return int(self.targets.max(initial=0)) + 1


def words_of(graph: DecodingGraph, outputs: Iterable[int]) -> list[int]:
    """Word ids behind the outputs of a path through the graph."""
    words: list[int] = []
    for output in outputs:
        if output >= graph.sequence_base:
            words += graph.word_sequences[output - graph.sequence_base]
        elif output > 0:
            words.append(output)
    return words


def word_counts(graph: DecodingGraph, outputs: np.ndarray) -> np.ndarray:
    """(arcs,) float32: how many words each arc carries; `outputs` (arcs,) are of the graph."""
    lengths = np.array([0, 1, *map(len, graph.word_sequences)], np.float32)
    return lengths[np.where(outputs >= graph.sequence_base, outputs - graph.sequence_base + 2, outputs.clip(0, 1))]


def with_word_cost(graph: DecodingGraph, cost: float) -> DecodingGraph:
    """The same graph in which each word costs so much more (nats): Kaldi's word insertion penalty."""
    if not cost:
        return graph
    return replace(graph, scores=graph.scores - np.float32(cost) * word_counts(graph, graph.outputs))


def write_fst(graph: DecodingGraph, path: Path) -> None:
    """Write a graph in OpenFst's binary format, atomically.

    A final arc is a state's final weight; one with words is an arc without input to the end.
    """
    final = graph.labels == _FINAL
    silent = final & (graph.outputs <= 0)
    finals = np.full(graph.states, np.inf, np.float32)
    finals[graph.sources[silent]] = -graph.scores[silent]
    finals[-1] = 0.0
    labels = np.where(final, 0, graph.labels)
    arcs = np.stack([labels, graph.outputs, (-graph.scores).view(np.int32), graph.targets], 1)
    with atomic_path(path) as partial:
        partial.write_bytes(to_bytes(Fst(arcs[~silent], graph.sources[~silent], finals, 0)))


def save_graph(graph: DecodingGraph, folder: Path, tree: str = "") -> None:
    """Write a graph to a folder, each file atomically, its description last.

    Args:
        tree: fingerprint of the tree whose senones its labels are; empty: of none that a model could have.
    """
    write_fst(graph, folder / GRAPH)
    about = {"tree": tree, "bytes": (folder / GRAPH).stat().st_size, "sequence_base": graph.sequence_base}
    write_json(folder / ABOUT, {**about, "word_sequences": [list(words) for words in graph.word_sequences]})


def check_graph(folder: Path, tree: str | None) -> dict[str, Any]:
    """Look at what a graph says of itself; its arcs, which may take gigabytes, are not read.

    Args:
        folder: that `save_graph` wrote to.
        tree: fingerprint of the tree whose senones will be scored; None where it is not known.

    Returns:
        What HCLG.json says.

    Raises:
        UserError: it is missing, not such a graph, not whole, or of another tree.
    """
    about = _about(folder)
    if tree and about["tree"] and tree != about["tree"]:
        raise UserError(
            f"{folder / GRAPH}: its senones are those of the tree {about['tree']}, the model's are those of {tree}. "
            "Make a graph with the model's tree (steps/make_graph.py)."
        )
    return about


def load_graph(folder: Path, tree: str | None = None) -> DecodingGraph:
    """Read what `save_graph` wrote; for `tree` and the errors see `check_graph`."""
    about = check_graph(folder, tree)
    try:
        fst = read_fst(folder / GRAPH)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / GRAPH}: cannot be read ({error}). {_ANEW}") from None
    words = [tuple(words) for words in about["word_sequences"]]
    return _of_fst(fst, words, about["sequence_base"])


def _of_fst(fst: Fst, word_sequences: Sequence[tuple[int, ...]], sequence_base: int) -> DecodingGraph:
    """What `write_fst` made an FST of."""
    end = len(fst.finals) - 1
    ends = np.flatnonzero(np.isfinite(fst.finals[:-1])).astype(np.int32)
    order = np.argsort(np.concatenate([fst.sources, ends]), kind="stable")  # a final arc is the last of its state
    labels, outputs, weights, targets = fst.arcs.T

    def together(of_arcs: np.ndarray, of_ends: np.ndarray | np.int32) -> np.ndarray:
        return np.concatenate([of_arcs, np.broadcast_to(of_ends, ends.shape)])[order]

    return DecodingGraph(
        together(fst.sources, ends), together(targets, np.int32(end)),
        together(np.where(labels == 0, np.int32(_FINAL), labels), np.int32(_FINAL)), together(outputs, np.int32(-1)),
        -together(np.ascontiguousarray(weights).view(np.float32), fst.finals[ends]), word_sequences, sequence_base,
    )  # fmt: skip


_ANEW = "Make it anew with steps/make_graph.py."


def _about(folder: Path) -> dict[str, Any]:
    """What HCLG.json says of a graph that is whole."""
    path = folder / GRAPH
    if not path.exists() and (old := folder / "HCLG.safetensors").exists():
        raise UserError(
            f"{old}: a graph as earlier versions stored it, which is not read any more. Remove {folder}, and make it "
            "anew: a graph with steps/make_graph.py, a recogniser with steps/pack.py."
        )
    for needed in (path, folder / ABOUT):
        if not needed.exists():
            raise UserError(f"{needed}: no such graph. Make it with steps/make_graph.py.")
    try:
        about = read_json(folder / ABOUT)
        expected, _ = about["bytes"], (about["tree"], about["sequence_base"], about["word_sequences"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / ABOUT}: describes no graph of this project ({error!r}). {_ANEW}") from None
    if (found := path.stat().st_size) != expected:
        raise UserError(f"{path}: has {found} bytes, not the {expected} that {ABOUT} tells of. {_ANEW}")
    return about
