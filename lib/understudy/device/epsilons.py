"""Epsilons of a graph, followed from the tokens alive before each frame.

A graph of a large vocabulary has them where a word's history is cut short (back-off): without, each state would have
the arcs of all shorter histories too, which are several times as many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .graph_arcs import ranges
from .net import Net


class Entered(NamedTuple):
    """Where tokens come to without a frame: first of all, where they are."""

    states: np.ndarray
    """(entries,) int64"""
    tokens: np.ndarray
    """(entries,) int64, which came"""
    costs: np.ndarray
    """(entries,) float32, of the token and the way"""
    outputs: np.ndarray
    """(entries,) int64, said on the way; 0: nothing"""

    def only(self, which: np.ndarray) -> Entered:
        """Entries of these numbers."""
        return Entered(*(column[which] for column in self))


def followed(net: Net, states: np.ndarray, costs: np.ndarray, beams: tuple[float, float], least: np.ndarray) -> Entered:
    """What tokens come to through epsilons, of which a graph has no cycle.

    Args:
        states: (tokens,) int64 where they are.
        costs: (tokens,) float32.
        beams: what costs more than the best token by so much is left, and what costs more by so much than the best way
            to the same state.
        least: (states of the graph,) float32, infinite, and so again afterwards.
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
    """Those that cost no more than the best at their state, and the beam."""
    np.minimum.at(least, entered.states, entered.costs)
    near = np.flatnonzero(entered.costs <= least[entered.states] + np.float32(beam))
    least[entered.states] = np.inf
    return entered.only(near)
