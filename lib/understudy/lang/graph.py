"""Decoding graphs: words, files. `hclg` builds them; a search turns them into what it wants.

A folder holds a graph (`understudy.device.decoding_graph`) as HCLG.fst, in OpenFst's binary format (a VectorFst of the
tropical semiring, which `kaldifst` and the device read too), and HCLG.json: what that format has no place for. A folder
`compact` in it holds the same graph with epsilons, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from understudy.device.decoding_graph import DecodingGraph, as_fst, of_fst
from understudy.device.openfst import read_fst, to_bytes
from understudy.step import UserError, atomic_path, read_json, write_json

GRAPH, ABOUT = "HCLG.fst", "HCLG.json"
GRAPH_FILES = (GRAPH, ABOUT)
COMPACT = "compact"


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
    """Write a graph in OpenFst's binary format, atomically."""
    with atomic_path(path) as partial:
        partial.write_bytes(to_bytes(as_fst(graph)))


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
    return of_fst(fst, words, about["sequence_base"])


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
