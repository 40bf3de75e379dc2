"""Acceptors of phone sequences: of a transcript, and of what a phone language model makes of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

from understudy.lang.phone_graph import phone_graph
from understudy.lang.phone_lm import History, PhoneLm

State = TypeVar("State", bound=Hashable)
Places = tuple[frozenset[int], History]
"""State of a transcript"""


class Acceptor(Protocol[State]):
    """States and phones; deterministic: no state has two arcs with one phone."""

    start: State

    def arcs(self, state: State) -> Iterable[tuple[int, float, State]]:
        """(phone, log weight, next state)."""

    def final(self, state: State) -> float | None:
        """Log weight of ending here; None: not an end."""


class Transcript:
    """Every way to pronounce a transcript, with optional silence; each phone sequence once, weighed by a model.

    A state is a set of places in the transcript and a history of the model. What the model never saw is there too,
    at a price (see `PhoneLm.follow`).
    """

    def __init__(self, pronunciations: list[list[list[int]]], silence: int, lm: PhoneLm) -> None:
        self.phones, before, starts, ends = phone_graph(pronunciations, silence)
        self.after: list[set[int]] = [set() for _ in self.phones]
        for node, preceding in enumerate(before):
            for p in preceding:
                self.after[p].add(node)
        self.starts, self.ends, self.lm = frozenset(starts), ends, lm
        self.start: Places = (frozenset([-1]), lm.start)

    def arcs(self, state: Places) -> list[tuple[int, float, Places]]:
        """See `Acceptor`."""
        nodes, history = state
        places: dict[int, set[int]] = {}
        for node in nodes:
            for following in self.starts if node < 0 else self.after[node]:
                places.setdefault(self.phones[following], set()).add(following)
        found = []
        for phone in sorted(places):
            weight, after = self.lm.follow(history, phone)
            found.append((phone, weight, (frozenset(places[phone]), after)))
        return found

    def final(self, state: Places) -> float | None:
        """See `Acceptor`."""
        nodes, history = state
        return self.lm.end(history) if nodes & self.ends else None
