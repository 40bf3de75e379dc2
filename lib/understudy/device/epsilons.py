"""Epsilons of a graph, followed from the tokens alive before each frame.

A graph of a large vocabulary has epsilons where it backs off to a shorter history: without them, each state would also
have the arcs of all shorter histories, several times as many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .graph_arcs import ranges
from .net import Net


class Entered(NamedTuple):
    """States that tokens reach without consuming a frame, their own among them."""

    states: np.ndarray
    """(entries,) int64"""
    tokens: np.ndarray
    """(entries,) int64, number of the token"""
    costs: np.ndarray
    """(entries,) float32, cost of the token and of the epsilons"""
    outputs: np.ndarray
    """(entries,) int64, words of the epsilons, as an output; 0: none"""

    def only(self, which: np.ndarray) -> Entered:
        """Return the entries of the given numbers."""
        return Entered(*(column[which] for column in self))


def followed(net: Net, states: np.ndarray, costs: np.ndarray, beams: tuple[float, float], least: np.ndarray) -> Entered:
    """Return all states that tokens reach through epsilons, of which a graph has no cycle.

    Args:
        states: (tokens,) int64, the tokens' own.
        costs: (tokens,) float32.
        beams: how much more than the best token an entry may cost, and how much more than the best path to the same
            state; others are dropped.
        least: (states of the graph,) float32, work space; infinite before and after.
    """
    entered = Entered(states, np.arange(len(states)), costs, np.zeros(len(states), np.int64))
    parts, limit = [entered], costs.min(initial=np.inf) + beams[0]
    while (silent := net.epsilons(entered.states)) is not None:
        begins, ends = silent
        of, arcs = np.repeat(np.arange(len(begins)), ends - begins), ranges(begins, ends)
        if not len(of):
            break
        taken = net.arcs(arcs)
        totals = entered.costs[of] + taken.costs
        kept = np.flatnonzero(totals <= limit)
        of = of[kept]
        outputs = net.sequences.joined(entered.outputs[of], taken.outputs(kept))
        found = Entered(taken.targets(kept), entered.tokens[of], totals[kept], outputs)
        entered = _near_the_best(found, beams[1], least)
        parts.append(entered)
    if len(parts) == 1:
        return entered
    return _near_the_best(Entered(*map(np.concatenate, zip(*parts, strict=True))), beams[1], least)


def _near_the_best(entered: Entered, beam: float, least: np.ndarray) -> Entered:
    """Return the entries that cost at most `beam` more than the best at their state."""
    np.minimum.at(least, entered.states, entered.costs)
    near = np.flatnonzero(entered.costs <= least[entered.states] + np.float32(beam))
    least[entered.states] = np.inf
    return entered.only(near)
