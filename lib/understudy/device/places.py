"""Places of a graph of triphones where words can be set in afterwards.

A language model may have a class, `<contact>`, in place of words. When the graph is composed, the class is pronounced
as any first phone, a mark, and any last phone. So each phone beside the class knows its neighbour, and three kinds of
arcs are left open: to a word's first phone, through its middle, and to its last phone. These arcs are kept here, not in
the graph, with all that can only be reached through them; `splice` puts words in their place. The search of the graph
itself is the same with places and without.

Our choice; the idea of adding parts to a graph later is Kaldi's ("Support for grammars and graphs with on-the-fly
parts", Povey 2018), which supports left context alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .decoding_graph import DecodingGraph
from .errors import UNREADABLE, DeviceError
from .graph_arcs import FINAL, Arcs, reachable
from .vocabulary import ContextTree

NEW = "<new>"
"""the class whose place is wherever a word may stand"""
ENTER, THROUGH, LEAVE = range(3)
_CLASS = re.compile(r"<(?!s>|unk>)\w[\w-]*>", re.IGNORECASE)


def is_class(word: str) -> bool:
    """Whether a word is the name of a class, which stands for other words."""
    return bool(_CLASS.fullmatch(word))


class Mark(NamedTuple):
    """What an arc of a place stands for."""

    kind: int
    """`ENTER`, `THROUGH` or `LEAVE`"""
    left: int
    """by kind: the phone before the word; its first; its last"""
    right: int
    """by kind: the first phone of the word; its last; the phone after it"""
    place: int
    """number of the class"""


@dataclass(frozen=True, eq=False)
class Places:
    """The arcs of places, which are not in the graph. States below `states` are the graph's."""

    names: list[str]
    """names of the classes"""
    states: int
    """number of the graph's states, without its end"""
    marks: np.ndarray
    """(marks, 4) int32, each a `Mark`"""
    table: np.ndarray
    """(arcs, 4) int32: source, target, label (senone + 1; −1 − number of a mark) and index into `said`"""
    costs: np.ndarray
    """(arcs,) float32, nats; those of marks do not include the topology's"""
    ends: np.ndarray
    """(ends, 2) int32: state of the places, index into `said`"""
    end_costs: np.ndarray
    """(ends,) float32, nats"""
    said: list[tuple[int, ...]] = field(default_factory=list)
    """sequences of word ids that arcs and ends carry"""

    @classmethod
    def none(cls, states: int) -> Places:
        """Return the places of a graph that has none; `states`: its number of states, without the end."""
        rows, costs = np.zeros((0, 4), np.int32), np.zeros(0, np.float32)
        return cls([], states, rows, rows, costs, rows[:, :2], costs)

    def dearer(self, cost: float) -> Places:
        """Return places in which each word, those that will be set in too, costs `cost` nats more."""
        words = np.array([len(of) for of in self.said] or [0], np.float32)
        marks, numbers = self.table[:, 2] < 0, -1 - self.table[:, 2].clip(max=-1)
        entered = marks & (self.marks[numbers, 0] == ENTER) if len(self.marks) else marks
        costs = self.costs + np.float32(cost) * (words[self.table[:, 3]] + entered)
        return replace(self, costs=costs, end_costs=self.end_costs + np.float32(cost) * words[self.ends[:, 1]])

    def save(self, path: Path) -> None:
        """Write the places to a file for `read`."""
        about = json.dumps({"names": self.names, "states": self.states, "said": self.said}, allow_nan=False)
        with path.open("wb") as file:
            np.savez_compressed(
                file, about=np.array(about), marks=self.marks, table=self.table, costs=self.costs, ends=self.ends,
                end_costs=self.end_costs,
            )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> Places:
        """Read places that `save` wrote.

        Raises:
            DeviceError: the file holds no places.
        """
        try:
            with np.load(path, allow_pickle=False) as found:
                about = json.loads(str(found["about"]))
                arrays = {name: found[name] for name in ("marks", "table", "costs", "ends", "end_costs")}
            said = [tuple(words) for words in about["said"]]
            return cls(list(about["names"]), int(about["states"]), said=said, **arrays)
        except UNREADABLE as error:
            raise DeviceError(f"{path}: no places of a graph ({error!r}). Copy or make the folder again.") from None


class Alike:
    """Merges phones beside a word that make no difference to the senones of its first or last, for fewer marks."""

    def __init__(self, tree: ContextTree, phones: Iterable[int]) -> None:
        """`phones`: those that words may have."""
        self._tree, self._phones = tree, list(phones)
        self._first: dict[tuple, int] = {}
        self._known: dict[tuple[int, int, int], int] = {}

    def before(self, left: int, first: int) -> int:
        """Return one phone for all `left` after which a word's first phone has the same senones."""
        return self._one(0, left, first, ((left, first, other) for other in self._phones))

    def after(self, last: int, right: int) -> int:
        """Return one phone for all `right` before which a word's last phone has the same senones."""
        return self._one(1, right, last, ((other, last, right) for other in self._phones))

    def _one(self, side: int, phone: int, centre: int, contexts: Iterable[tuple[int, int, int]]) -> int:
        if (side, phone, centre) not in self._known:
            senones = tuple(self._tree.senone(*context, c) for context in contexts for c in (0, 1))
            self._known[side, phone, centre] = self._first.setdefault((side, centre, senones), phone)
        return self._known[side, phone, centre]


def split(
    arcs: Arcs, sequences: Sequence[tuple[int, ...]], base: int, marks: Sequence[Mark], names: list[str]
) -> tuple[DecodingGraph | None, Places]:
    """Split arcs into a graph and the places in it.

    Args:
        arcs: those of both; the label of mark n is −2 − n.
        sequences: what outputs of `base` and above stand for.

    Returns:
        The graph without its places, None where nothing is left, and the places.
    """
    final = arcs.labels == FINAL
    inner, ends = arcs.where(~final), arcs.where(final)
    useful, ours = (_between(some, ends, arcs.states) for some in (inner, inner.where(inner.labels > 0)))
    order = np.cumsum(np.append(ours, useful & ~ours)).astype(np.int32) - 1
    order = np.where(ours, order[: len(ours)], order[len(ours) :])
    inner, ends = inner.where(useful[inner.sources] & useful[inner.targets]), ends.where(useful[ends.sources])
    whole = (inner.labels > 0) & ours[inner.sources] & ours[inner.targets]
    inner = replace(inner, sources=order[inner.sources], targets=order[inner.targets])
    kept = ours[ends.sources]
    ends = replace(ends, sources=order[ends.sources])
    inside = Arcs.joined([inner.where(whole), ends.where(kept)])
    graph = DecodingGraph.of(inside, list(sequences), base) if kept.any() else None
    return graph, _places(inner.where(~whole), ends.where(~kept), sequences, base, marks, names, int(ours.sum()))


def _between(inner: Arcs, ends: Arcs, states: int) -> np.ndarray:
    """Return (states,) whether each is on a path from the start to an end."""
    ahead = reachable(inner.sources, inner.targets, np.array([0]), states)
    return ahead & reachable(inner.targets, inner.sources, ends.sources, states)


def _places(
    arcs: Arcs, ends: Arcs, sequences: Sequence[tuple[int, ...]], base: int, marks: Sequence[Mark], names: list[str],
    states: int,
) -> Places:  # fmt: skip
    outputs, said = np.unique(np.append(arcs.outputs, ends.outputs), return_inverse=True)
    said = said.reshape(-1).astype(np.int32)
    # Labels of marks are one higher here, −1 − n: none of these arcs is final.
    labels = arcs.labels + (arcs.labels < 0)
    return Places(
        names, states, np.array(marks, np.int32).reshape(-1, 4),
        np.stack([arcs.sources, arcs.targets, labels, said[: len(arcs.labels)]], 1), arcs.costs,
        np.stack([ends.sources, said[len(arcs.labels) :]], 1), ends.costs,
        [sequences[n - base] if n >= base else (n,) * (n > 0) for n in outputs.tolist()],
    )  # fmt: skip
