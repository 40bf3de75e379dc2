"""Decoding graphs as k2 searches them: arrays, words, files. `hclg` builds them.

Labels are senone + 1 (0 stays unused, k2's searches take it for a symbol), final arcs -1. A graph has no
epsilon input. `aux_labels` are word ids; where an arc has to carry several words, an id of
`sequence_base` or above that stands for a tuple in `word_sequences` (see `words_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import k2
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from understudy.stage import UserError, atomic_path

T = TypeVar("T")
Arc = tuple[int, int, int, int, float]
"""Source, destination, input, output, cost; state 0 is the start"""
Finals = dict[int, tuple[int, float]]
"""Output and cost by final state"""


class ContextTree(Protocol):
    """What a graph asks of a phonetic decision tree."""

    num_senones: int

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        """Senone of a phone in context; phone 0 is "no phone" at an edge."""


def to_k2(arcs: list[Arc], finals: Finals, **attributes: Sequence[int]) -> k2.Fsa:
    """A k2.Fsa with aux_labels and further attributes of the arcs (0 on final arcs)."""
    end = 1 + max(max(s, d) for s, d, *_ in arcs)
    table = np.array([(s, d, i, o) for s, d, i, o, _ in arcs], dtype=np.int64).reshape(-1, 4)
    final = np.array([(s, end, -1, o or -1) for s, (o, _) in finals.items()], dtype=np.int64).reshape(-1, 4)
    costs = np.array([a[4] for a in arcs] + [c for _, c in finals.values()], dtype=np.float32)
    table = np.concatenate([table, final])
    order = np.lexsort((table[:, 1], table[:, 2], table[:, 0]))  # k2 wants source order; -1 sorts first
    tensor = torch.zeros(len(table), 4, dtype=torch.int32)
    tensor[:, :3] = torch.from_numpy(table[order, :3].astype(np.int32))
    tensor[:, 3] = torch.from_numpy(-costs[order]).view(torch.int32)
    fsa = k2.Fsa(tensor, aux_labels=torch.from_numpy(table[order, 3].astype(np.int32)))
    for name, values in attributes.items():
        column = np.concatenate([np.asarray(values, dtype=np.int32), np.zeros(len(finals), dtype=np.int32)])
        setattr(fsa, name, torch.from_numpy(column[order]))
    return k2.arc_sort(k2.connect(fsa))


def words_of(fsa: k2.Fsa, aux_labels: Iterable[int]) -> list[int]:
    """Word ids behind the aux_labels of a path; `fsa` is the graph that was searched."""
    words: list[int] = []
    for label in aux_labels:
        if label >= fsa.sequence_base:
            words += fsa.word_sequences[label - fsa.sequence_base]
        elif label > 0:
            words.append(label)
    return words


def word_counts(fsa: k2.Fsa, aux_labels: torch.Tensor) -> torch.Tensor:
    """(arcs,) float32: how many words each arc carries; `fsa` is the graph that the aux_labels are of."""
    lengths = torch.tensor([0, 1, *map(len, fsa.word_sequences)], dtype=torch.float32)
    labels = aux_labels.long()
    return lengths[torch.where(labels >= fsa.sequence_base, labels - fsa.sequence_base + 2, labels.clamp(0, 1))]


def with_word_cost(fsa: k2.Fsa, cost: float) -> k2.Fsa:
    """The same graph in which each word costs so much more (nats): Kaldi's word insertion penalty."""
    if not cost:
        return fsa
    dearer = fsa.clone()
    dearer.scores = fsa.scores - cost * word_counts(fsa, fsa.aux_labels)
    return dearer


def save_graph(fsa: k2.Fsa, path: Path | str, tree: str = "") -> None:
    """Write a decoding graph as safetensors, atomically.

    Args:
        tree: fingerprint of the tree whose senones its labels are; empty: of none that a model could have.
    """
    lengths = [len(s) for s in fsa.word_sequences]
    tensors = {
        "arcs": fsa.arcs.values()[:, :3].contiguous(),
        "scores": fsa.scores.detach().contiguous(),
        "aux_labels": fsa.aux_labels.contiguous(),
        "sequence_lengths": torch.tensor(lengths, dtype=torch.int32),
        "sequence_words": torch.tensor([w for s in fsa.word_sequences for w in s], dtype=torch.int32),
    }
    with atomic_path(path) as partial:
        save_file(tensors, str(partial), metadata={"sequence_base": str(fsa.sequence_base), "tree": tree})


def check_graph(path: Path | str, tree: str | None) -> None:
    """Look at what a graph says of itself; its arcs, which may take gigabytes, are not read.

    Args:
        tree: fingerprint of the tree whose senones will be scored; None where it is not known.

    Raises:
        UserError: it is missing, not such a file, or of another tree.
    """
    made_of = _read(path, lambda file: file.metadata().get("tree"))
    if tree and made_of and tree != made_of:
        raise UserError(
            f"{path}: its senones are those of the tree {made_of}, the model's are those of {tree}. "
            "Make a graph with the model's tree (steps/make_graph.py)."
        )


def load_graph(path: Path | str, tree: str | None = None) -> k2.Fsa:
    """Read what `save_graph` wrote; `tree` and what is raised as of `check_graph`."""
    check_graph(path, tree)
    tensors = _read(path, lambda file: {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (no dict)
    base = _read(path, lambda file: int(file.metadata()["sequence_base"]))
    scores = tensors["scores"].view(torch.int32)
    fsa = k2.Fsa(torch.cat([tensors["arcs"], scores[:, None]], dim=1), aux_labels=tensors["aux_labels"])
    words = iter(tensors["sequence_words"].tolist())
    fsa.word_sequences = [tuple(next(words) for _ in range(n)) for n in tensors["sequence_lengths"].tolist()]
    fsa.sequence_base = base
    return fsa


def _read(path: Path | str, what: Callable[[Any], T]) -> T:
    """Something of an open graph file."""
    if not Path(path).exists():
        raise UserError(f"{path}: no such graph. Make it with steps/make_graph.py.")
    try:
        with safe_open(str(path), framework="pt") as file:
            return what(file)
    except Exception as error:  # the library's own error type is not public
        raise UserError(f"{path}: not a graph of this project ({error}). Remove it and remake it.") from error
