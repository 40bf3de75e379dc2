"""Places of a graph where words can be set in afterwards: what a graph of triphones has to know there.

A language model may have a class, `<contact>`, in the place of words. When the graph is composed the class is
pronounced as any first phone, a mark, and any last phone. So each phone beside it knows its neighbour, and what cannot
be known yet are three kinds of arcs: to a word's first phone (between the phone before the word and the one after it),
through its middle, and to its last phone. These arcs lie here, not in the graph, with all that can only be reached
through them; `splice` puts words in their place. The search of the graph itself is the same with places and without.

Our choice; the idea of a graph with parts that come later is Kaldi's ("Support for grammars and graphs with on-the-fly
parts", Povey 2018), which knows contexts of a phone to the left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .decoding_graph import DecodingGraph
from .errors import UNREADABLE, DeviceError
from .graph_arcs import Arcs, Finals, Row
from .vocabulary import ContextTree

NEW = "<new>"
"""The class whose place is wherever a word may stand"""
ENTER, THROUGH, LEAVE = range(3)
_CLASS = re.compile(r"<(?!s>|unk>)\w[\w-]*>", re.IGNORECASE)


def is_class(word: str) -> bool:
    """Whether it stands for others."""
    return bool(_CLASS.fullmatch(word))


class Mark(NamedTuple):
    """What an arc of a place stands for."""

    kind: int
    """`ENTER`, `THROUGH` or `LEAVE`"""
    left: int
    """the phone before the word; its first; its last"""
    right: int
    """the first phone of the word; its last; the phone after it"""
    place: int
    """number of the class"""


@dataclass(frozen=True, eq=False)
class Places:
    """Arcs that are not in the graph. States below `states` are the graph's."""

    names: list[str]
    """of the classes"""
    states: int
    """of the graph, without its end"""
    marks: np.ndarray
    """(marks, 4) int32, each a `Mark`"""
    table: np.ndarray
    """(arcs, 4) int32: source, target, label (senone + 1; −1 − number of a mark) and number of what is said"""
    costs: np.ndarray
    """(arcs,) float32, nats; those of marks have no part of the topology's"""
    ends: np.ndarray
    """(ends, 2) int32: state of this part, number of what is said there"""
    end_costs: np.ndarray
    """(ends,) float32"""
    said: list[tuple[int, ...]] = field(default_factory=list)
    """word ids of the graph's words"""

    def dearer(self, cost: float) -> Places:
        """The same where each word costs so much more (nats), those that are set in too."""
        words = np.array([len(of) for of in self.said] or [0], np.float32)
        marks, numbers = self.table[:, 2] < 0, -1 - self.table[:, 2].clip(max=-1)
        entered = marks & (self.marks[numbers, 0] == ENTER) if len(self.marks) else marks
        costs = self.costs + np.float32(cost) * (words[self.table[:, 3]] + entered)
        return replace(self, costs=costs, end_costs=self.end_costs + np.float32(cost) * words[self.ends[:, 1]])

    def save(self, path: Path) -> None:
        """Write what `read` reads."""
        about = json.dumps({"names": self.names, "states": self.states, "said": self.said}, allow_nan=False)
        with path.open("wb") as file:
            np.savez_compressed(
                file, about=np.array(about), marks=self.marks, table=self.table, costs=self.costs, ends=self.ends,
                end_costs=self.end_costs,
            )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> Places:
        """Read it.

        Raises:
            DeviceError: it is none.
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
    """Phones beside a word that its first or last phone cannot tell apart, for there are fewer marks then."""

    def __init__(self, tree: ContextTree, phones: Iterable[int]) -> None:
        """`phones`: that words are made of."""
        self._tree, self._phones = tree, list(phones)
        self._first: dict[tuple, int] = {}
        self._known: dict[tuple[int, int, int], int] = {}

    def before(self, left: int, first: int) -> int:
        """One for all `left` that make no difference to a word's first phone."""
        return self._one(0, left, first, ((left, first, other) for other in self._phones))

    def after(self, last: int, right: int) -> int:
        """One for all `right` that make no difference to a word's last phone."""
        return self._one(1, right, last, ((other, last, right) for other in self._phones))

    def _one(self, side: int, phone: int, centre: int, contexts: Iterable[tuple[int, int, int]]) -> int:
        if (side, phone, centre) not in self._known:
            senones = tuple(self._tree.senone(*context, c) for context in contexts for c in (0, 1))
            self._known[side, phone, centre] = self._first.setdefault((side, centre, senones), phone)
        return self._known[side, phone, centre]


def split(
    arcs: Sequence[Row], finals: Finals, sequences: Sequence[tuple[int, ...]], base: int, marks: Sequence[Mark],
    names: list[str],
) -> tuple[DecodingGraph | None, Places]:  # fmt: skip
    """A graph, and the places in it.

    Args:
        arcs: of both; label −2 − n is of the mark n.
        sequences: what outputs of `base` and above stand for.

    Returns:
        The graph without its places, None where nothing is left, and these.
    """
    useful = _between(arcs, finals)
    ours = _between([arc for arc in arcs if arc[2] > 0], finals)
    order = {state: n for n, state in enumerate([*sorted(ours), *sorted(useful - ours)])}
    inside: list[Row] = []
    outside: list[Row] = []
    for source, target, label, word, cost in arcs:
        if source in useful and target in useful:
            whole = label > 0 and source in ours and target in ours
            (inside if whole else outside).append((order[source], order[target], label, word, cost))
    ends = {order[state]: end for state, end in finals.items() if state in useful}
    kept = {state: end for state, end in ends.items() if state < len(ours)}
    graph = DecodingGraph.of(Arcs.of_rows(inside, kept), sequences, base) if kept else None
    more = [(state, *end) for state, end in ends.items() if state >= len(ours)]

    def said(output: int) -> tuple[int, ...]:
        return sequences[output - base] if output >= base else (output,) * (output > 0)

    return graph, _places(outside, more, said, marks, names, len(ours))


def _between(arcs: Iterable[Row], finals: Finals) -> set[int]:
    """States on a way from the start to an end."""
    ahead: dict[int, list[int]] = {}
    behind: dict[int, list[int]] = {}
    for source, target, *_ in arcs:
        ahead.setdefault(source, []).append(target)
        behind.setdefault(target, []).append(source)
    return _reached(ahead, [0]) & _reached(behind, finals)


def _reached(ways: dict[int, list[int]], begin: Iterable[int]) -> set[int]:
    found, todo = set(begin), list(begin)
    while todo:
        for state in ways.get(todo.pop(), ()):
            if state not in found:
                found.add(state)
                todo.append(state)
    return found


def _places(
    arcs: list[Row], ends: list[tuple[int, int, float]], said: Callable[[int], tuple[int, ...]], marks: Sequence[Mark],
    names: list[str], states: int,
) -> Places:  # fmt: skip
    numbers: dict[tuple[int, ...], int] = {}
    # The label of a mark is one more here: these arcs have no final one among them.
    table = [(*arc[:2], arc[2] + (arc[2] < 0), numbers.setdefault(said(arc[3]), len(numbers))) for arc in arcs]
    closed = [(state, numbers.setdefault(said(word), len(numbers))) for state, word, _ in ends]
    return Places(
        names, states, np.array(marks, np.int32).reshape(-1, 4), np.array(table, np.int32).reshape(-1, 4),
        np.array([arc[4] for arc in arcs], np.float32), np.array(closed, np.int32).reshape(-1, 2),
        np.array([cost for *_, cost in ends], np.float32), list(numbers),
    )  # fmt: skip
