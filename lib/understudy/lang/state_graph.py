"""HMM states of an acceptor of phones, in context: what sequence training sums over.

A state is a phone between its neighbours. Its first frame has the entry senone, every further one the loop senone
(`topology`), so one state stands for the whole phone. Contexts that share senones and future share a state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from understudy.device import topology
from understudy.device.vocabulary import ContextTree
from understudy.lang.acceptor import Acceptor, State

_EDGE = 0


@dataclass
class StateGraph:
    """States, and arcs between them; weights are log-probabilities with the HMM's own."""

    entry: np.ndarray
    """(states,) senone of a state's first frame"""
    loop: np.ndarray
    """(states,) senone of its further frames"""
    start: np.ndarray
    """(states,) log weight of beginning here, −inf: not at all"""
    final: np.ndarray
    """(states,) log weight of ending here"""
    sources: np.ndarray
    """(arcs,)"""
    targets: np.ndarray
    """(arcs,)"""
    weights: np.ndarray
    """(arcs,) of leaving the source for the target's first frame"""
    stay: float
    """log weight of a further frame"""

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return sum(values.nbytes for values in vars(self).values() if isinstance(values, np.ndarray))


def expand(
    acceptor: Acceptor[State], tree: ContextTree, loop_probability: float = topology.LOOP_PROBABILITY
) -> StateGraph:
    """The states that an acceptor's sequences go through.

    The sum over the graph's paths is that over the acceptor's sequences and their durations, as long as a senone
    tells its phone (a tree has a root for each phone).
    """
    enter_cost, stay_cost = topology.costs(loop_probability)
    numbers: dict[tuple, int] = {}
    todo: list[tuple] = []

    def ahead(state: State) -> Iterator[tuple[int, float, State | None]]:
        yield from acceptor.arcs(state)
        if (weight := acceptor.final(state)) is not None:
            yield _EDGE, weight, None

    def number(left: int, phone: int, right: int, after: State | None) -> int:
        senones = tuple(tree.senone(left, phone, right, c) for c in (topology.ENTRY, topology.LOOP))
        key = (after, phone, right, senones)  # the acceptor has read `right`, and is in `after`
        if key not in numbers:
            numbers[key] = len(numbers)
            todo.append(key)
        return numbers[key]

    starts = [
        (number(_EDGE, phone, right, after), weight + following)
        for phone, weight, state in acceptor.arcs(acceptor.start)
        for right, following, after in ahead(state)
    ]
    arcs = []
    while todo:
        after, phone, right, senones = todo.pop()
        if right != _EDGE:
            source = numbers[after, phone, right, senones]
            arcs += [(source, number(phone, right, p, state), weight) for p, weight, state in ahead(after)]
    return _arrays(numbers, starts, arcs, enter_cost, stay_cost)


def _arrays(numbers: dict[tuple, int], starts: list, arcs: list, enter_cost: float, stay_cost: float) -> StateGraph:
    count = len(numbers)
    senones = np.array([key[3] for key in numbers], np.int64).reshape(-1, 2)
    start = np.full(count, -np.inf)
    for state, weight in starts:  # contexts at the edge that share a state
        start[state] = np.logaddexp(start[state], weight - enter_cost)
    final = np.where([key[2] == _EDGE for key in numbers], 0.0, -np.inf)
    columns = list(zip(*sorted(arcs))) or [(), (), ()]
    return StateGraph(
        senones[:, 0], senones[:, 1], start, final, np.array(columns[0], np.int64), np.array(columns[1], np.int64),
        np.array(columns[2], np.float64) - enter_cost, -stay_cost,
    )  # fmt: skip
