"""Graphs of context-dependent HMM states, expanded from acceptors of phones, for sequence training.

A state is a phone in its context. Its first frame has the entry senone, every further one the loop senone
(`topology`), so one state stands for the whole phone. Contexts with the same senones and continuations share a state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, cast

import numpy as np

from understudy.device import topology
from understudy.device.vocabulary import ContextTree
from understudy.lang.acceptor import Acceptor, State

_EDGE, _ANY = 0, -1


@dataclass
class StateGraph:
    """States, and arcs between them; weights are log-probabilities that include those of the HMM's transitions."""

    entry: np.ndarray
    """(states,) senone of a state's first frame"""
    loop: np.ndarray
    """(states,) senone of its further frames"""
    start: np.ndarray
    """(states,) log weight of beginning here; −inf: impossible"""
    final: np.ndarray
    """(states,) log weight of ending here; −inf: impossible"""
    sources: np.ndarray
    """(arcs,) source state"""
    targets: np.ndarray
    """(arcs,) target state"""
    weights: np.ndarray
    """(arcs,) log weight of leaving the source for the target's first frame"""
    stay: float
    """log weight of a further frame in the same state"""

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(values.nbytes for values in vars(self).values() if isinstance(values, np.ndarray))


def expand(
    acceptor: Acceptor[State], tree: ContextTree, loop_probability: float = topology.LOOP_PROBABILITY
) -> StateGraph:
    """Expand an acceptor of phones to the graph of its context-dependent states.

    The sum over the graph's paths equals that over the acceptor's sequences and their durations, because a senone
    belongs to one phone (a tree has a root for each phone).
    """
    enter_cost, stay_cost = topology.costs(loop_probability)
    states = _Expansion(acceptor, tree)
    starts = list(states.into(_EDGE, acceptor.start))
    arcs = []
    while states.todo:
        place = states.todo.pop()
        arcs += [(states.numbers[place], target, weight) for target, weight in states.out_of(place)]
    return _arrays(states, starts, arcs, enter_cost, stay_cost)


class _Place(NamedTuple):
    """A state: a phone with its senones, and the acceptor's state after it (after the next phone, if senones depend on
    that).
    """

    after: Hashable
    """None: the utterance has ended"""
    phone: int
    right: int
    """the next phone; `_EDGE`: none, the utterance ends; `_ANY`: senones do not depend on it"""
    senones: tuple[int, ...]


class _Expansion(Generic[State]):
    """The expansion of an acceptor: its states, numbered as they are found."""

    def __init__(self, acceptor: Acceptor[State], tree: ContextTree) -> None:
        self.acceptor, self.tree, self.looks_ahead = acceptor, tree, tree.asks_right
        self.numbers: dict[_Place, int] = {}
        self.todo: list[_Place] = []

    def into(self, left: int, state: State) -> Iterator[tuple[int, float]]:
        """Yield numbers and log weights of the states that begin at an acceptor's state, after the phone `left`."""
        for phone, weight, after in self.acceptor.arcs(state):
            for right, following, beyond in self._ahead(after):
                yield self._number(left, phone, right, beyond), weight + following

    def out_of(self, place: _Place) -> Iterator[tuple[int, float]]:
        """Yield numbers and log weights of the states that follow."""
        if place.after is None:
            return
        if not self.looks_ahead:
            yield from self.into(place.phone, cast(State, place.after))
            return
        for right, weight, beyond in self._ahead(cast(State, place.after)):
            yield self._number(place.phone, place.right, right, beyond), weight

    def final(self, place: _Place) -> float:
        """Return the log weight of ending there."""
        if self.looks_ahead:
            return 0.0 if place.right == _EDGE else -np.inf
        weight = self.acceptor.final(cast(State, place.after))
        return -np.inf if weight is None else weight

    def _ahead(self, state: State) -> Iterator[tuple[int, float, State | None]]:
        """Yield next phones, their log weights and the acceptor's states after them; `_ANY` without look-ahead."""
        if not self.looks_ahead:
            yield _ANY, 0.0, state
            return
        yield from self.acceptor.arcs(state)
        if (weight := self.acceptor.final(state)) is not None:
            yield _EDGE, weight, None

    def _number(self, left: int, phone: int, right: int, after: State | None) -> int:
        senones = tuple(self.tree.senone(left, phone, max(right, 0), c) for c in (topology.ENTRY, topology.LOOP))
        place = _Place(after, phone, right, senones)
        if place not in self.numbers:
            self.numbers[place] = len(self.numbers)
            self.todo.append(place)
        return self.numbers[place]


def _arrays(states: _Expansion, starts: list, arcs: list, enter_cost: float, stay_cost: float) -> StateGraph:
    count = len(states.numbers)
    senones = np.array([place.senones for place in states.numbers], np.int64).reshape(-1, 2)
    start = np.full(count, -np.inf)
    for state, weight in starts:  # contexts at the edge may share a state
        start[state] = np.logaddexp(start[state], weight - enter_cost)
    final = np.array([states.final(place) for place in states.numbers], np.float64)
    columns = list(zip(*sorted(arcs))) or [(), (), ()]
    return StateGraph(
        senones[:, 0], senones[:, 1], start, final, np.array(columns[0], np.int64), np.array(columns[1], np.int64),
        np.array(columns[2], np.float64) - enter_cost, -stay_cost,
    )  # fmt: skip
