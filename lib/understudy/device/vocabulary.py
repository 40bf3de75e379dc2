"""Words and their pronunciations, and the senones of phones in context: what a graph is compiled from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

SILENCE = "SIL"


@dataclass(frozen=True)
class Vocabulary:
    """A lexicon in which words need not have pronunciations."""

    phones: Sequence[str]
    """symbol of each phone id; 0 is no phone"""
    words: Sequence[str]
    """symbol of each word id; 0 is no word, #0 is back-off"""
    pronunciations: Mapping[str, Sequence[tuple[int, ...]]]
    """phone ids of each pronunciation, by word, of the words that have any"""

    @cached_property
    def word_ids(self) -> dict[str, int]:
        """Number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def phone_ids(self) -> dict[str, int]:
        """Number of each phone."""
        return {phone: number for number, phone in enumerate(self.phones)}

    @property
    def silence(self) -> int:
        """Id of the silence phone."""
        return self.phone_ids[SILENCE]

    @property
    def vocabulary(self) -> list[str]:
        """The words that are pronounced, in the order of their ids."""
        return sorted(self.pronunciations, key=self.word_ids.__getitem__)

    def only(self, words: Collection[str]) -> Vocabulary:
        """Return a vocabulary with the pronunciations of the given words alone; word ids stay."""
        return replace(self, pronunciations={word: self.pronunciations[word] for word in words})


class ContextTree(Protocol):
    """What a graph asks of a phonetic decision tree."""

    @property
    def asks_right(self) -> bool:
        """Whether a senone may depend on the phone after it."""

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        """Return the senone of a phone in context; phone 0 is "no phone" at an edge."""

    def states(self) -> list[tuple[int, int]]:
        """Return the (phone, pdf-class) of each senone, which no other shares with it."""


def asks_right(roots: Iterable[Any]) -> bool:
    """Whether one of the trees (see `leaf`) asks for the phone after the centre."""
    todo = list(roots)
    while todo:
        if isinstance(node := todo.pop(), list):
            side, _, yes, no = node
            if side == 1:
                return True
            todo += yes, no
    return False


def states_of(roots: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the (phone, pdf-class) of each senone of the trees `roots`, by `phone pdf-class`, which share no leaf."""
    found: dict[int, tuple[int, int]] = {}
    for name, root in roots.items():
        phone, pdf_class = map(int, name.split())
        todo = [root]
        while todo:
            if isinstance(node := todo.pop(), list):
                todo += node[2:]
            else:
                found[node] = (phone, pdf_class)
    return [found[senone] for senone in range(len(found))]


def leaf(root: Any, left: int, right: int) -> int:
    """Return the senone that a phone has between two others.

    Args:
        root: the phone's decision tree: nested [side, phones, yes, no] with side 0 (left) or 1 (right), or a senone.
    """
    node = root
    while isinstance(node, list):
        side, phones, yes, no = node
        node = yes if (left, right)[side] in phones else no
    return node
