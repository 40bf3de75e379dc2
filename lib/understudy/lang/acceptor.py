"""Acceptors of phone sequences, and that of a transcript, weighted by a phone language model."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

from understudy.lang.phone_graph import phone_graph
from understudy.lang.phone_lm import History, PhoneLm

State = TypeVar("State", bound=Hashable)
Places = tuple[frozenset[int], History]
"""State of a transcript: a set of nodes of its phone graph, and a history of the language model"""


class Acceptor(Protocol[State]):
    """A weighted acceptor of phones; deterministic: no state has two arcs with the same phone."""

    start: State

    def arcs(self, state: State) -> Iterable[tuple[int, float, State]]:
        """Yield (phone, log weight, next state) of the arcs that leave a state."""

    def final(self, state: State) -> float | None:
        """Return the log weight of ending here; None: the state is not final."""


class Transcript:
    """The acceptor of a transcript: all its pronunciations, with optional silence, each phone sequence once.

    Weights are those of a phone language model. A state is a set of nodes of the transcript's phone graph and a history
    of the model. Phones that the model has not seen after a history are accepted at a cost (see `PhoneLm.follow`).
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
