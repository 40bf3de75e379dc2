"""Decoding graphs: their words and files. `hclg` builds them; each search engine converts them.

A folder holds a graph (`understudy.device.decoding_graph`) as HCLG.fst, in OpenFst's binary format (a VectorFst of the
tropical semiring, which `kaldifst` and the device read too), and HCLG.json, with what that format cannot hold. A folder
`compact` in it may hold the same graph with epsilons.
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
    """Return the word ids of the outputs of a path through the graph."""
    words: list[int] = []
    for output in outputs:
        if output >= graph.sequence_base:
            words += graph.word_sequences[output - graph.sequence_base]
        elif output > 0:
            words.append(output)
    return words


def word_counts(graph: DecodingGraph, outputs: np.ndarray) -> np.ndarray:
    """Return (arcs,) float32: the number of words on each arc; `outputs` (arcs,) are outputs of the graph."""
    lengths = np.array([0, 1, *map(len, graph.word_sequences)], np.float32)
    return lengths[np.where(outputs >= graph.sequence_base, outputs - graph.sequence_base + 2, outputs.clip(0, 1))]


def with_word_cost(graph: DecodingGraph, cost: float) -> DecodingGraph:
    """Return the graph with an added cost of each word, nats: Kaldi's word insertion penalty."""
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
        tree: fingerprint of the tree whose senones are its labels; empty: unknown, so that it is not checked.
    """
    write_fst(graph, folder / GRAPH)
    about = {"tree": tree, "bytes": (folder / GRAPH).stat().st_size, "sequence_base": graph.sequence_base}
    write_json(folder / ABOUT, {**about, "word_sequences": [list(words) for words in graph.word_sequences]})


def check_graph(folder: Path, tree: str | None) -> dict[str, Any]:
    """Check a graph's description and size; its arcs, which may take gigabytes, are not read.

    Args:
        folder: folder that `save_graph` wrote.
        tree: fingerprint of the tree whose senones will be scored; None: unknown.

    Returns:
        The content of HCLG.json.

    Raises:
        UserError: the graph is missing, not of this project, incomplete, or of another tree.
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
    """Return the content of HCLG.json of a complete graph."""
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
