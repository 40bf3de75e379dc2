"""Lattices of a search as arrays: best paths under several scales at once, paths drawn by probability, occupancies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Lattice:
    """A lattice. State 0 is the start; arcs are sorted by target, each leads to a higher state, one frame on.

    All arcs are on paths to the last state. Scores are natural logarithms; final arcs, in one frame more than the
    utterance has, have a score of the graph alone.
    """

    sources: np.ndarray
    """(arcs,) int64"""
    targets: np.ndarray
    """(arcs,) int64"""
    frames: np.ndarray
    """(arcs,) int64"""
    senones: np.ndarray
    """(arcs,) int64; -1 on final arcs"""
    outputs: np.ndarray
    """(arcs,) int64: word or sequence of words; 0: none"""
    graph: np.ndarray
    """(arcs,) float64, the graph's share of the score"""
    acoustic: np.ndarray
    """(arcs,) float64, the frame's score of the senone"""

    @property
    def states(self) -> int:
        """Number of states."""
        return int(self.targets[-1]) + 1

    @cached_property
    def _begins(self) -> np.ndarray:
        """(states - 1,) first arc to each state but the start."""
        return np.flatnonzero(np.diff(self.targets, prepend=0))

    @cached_property
    def _layers(self) -> list[tuple[slice, slice, np.ndarray]]:
        """Each frame's arcs, the states that they lead to, and the first arc to each state, counted in the frame."""
        edges = np.searchsorted(self.frames, np.arange(self.frames[-1] + 2)).tolist()
        states = [int(self.targets[a]) for a in edges[:-1]] + [self.states]
        return [
            (slice(a, b), slice(low, high), self._begins[low - 1 : high - 1] - a)
            for (a, b), (low, high) in zip(pairwise(edges), pairwise(states), strict=True)
        ]

    def _sweep(self, scores: np.ndarray, gather: Callable[..., np.ndarray]) -> np.ndarray:
        """Return what `gather` makes of all paths to each state, (n, states), under n scores of each arc (n, arcs)."""
        reached = np.zeros((len(scores), self.states))
        for arcs, states, begins in self._layers:
            reached[:, states] = gather(reached[:, self.sources[arcs]] + scores[:, arcs], begins, axis=1)
        return reached

    def best(self, scores: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """Yield the arcs of the best path and its score under each of n scores of the arcs (n, arcs)."""
        reached = self._sweep(scores, np.maximum.reduceat)
        for through, one in zip(reached[:, self.sources] + scores, reached, strict=True):
            best = np.flatnonzero(through == one[self.targets])
            incoming = np.empty(self.states, np.int64)
            incoming[self.targets[best[::-1]]] = best[::-1]  # of equal ones, the first
            yield self._back(incoming), float(one[-1])

    def _back(self, incoming: np.ndarray) -> np.ndarray:
        """Return the arcs of the path that enters each of its states by the arc `incoming` (states,)."""
        arcs, sources, state, path = incoming.tolist(), self.sources.tolist(), self.states - 1, []
        while state:
            path.append(arcs[state])
            state = sources[arcs[state]]
        return np.array(path[::-1], np.int64)

    def draw(self, scores: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
        """Return the arcs of n paths, (n, frames + 1), which are drawn by their probability under scores (arcs,)."""
        reached = self._sweep(scores[None], np.logaddexp.reduceat)[0]
        # Shares of the arcs that enter a state add up to 1: in their running sum each state has an interval of its own.
        ends = np.exp(reached[self.sources] + scores - reached[self.targets]).cumsum()
        begins = np.append(self._begins, len(ends))
        low = np.append(0.0, ends)[begins]
        state, path = np.full(n, self.states - 1), []
        for _ in self._layers:
            first, last = begins[state - 1], begins[state] - 1
            at = low[state - 1] + random.random(n) * (low[state] - low[state - 1])
            path.append(np.searchsorted(ends, at, side="right").clip(first, last))
            state = self.sources[path[-1]]
        return np.stack(path[::-1], 1)

    def shares(self, scores: np.ndarray) -> np.ndarray:
        """Return the posterior of each arc, (arcs,), under scores (arcs,)."""
        before, after = self._around(scores)
        return np.exp(before[self.sources] + scores + after[self.targets] - before[-1])

    def gradient(self, scores: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """Return the gradient (arcs,), with respect to `scores`, of the paths' expected sum of rewards (arcs,).

        It is an arc's posterior times what paths through it are expected to get more than all paths (Povey and
        Woodland, "Minimum phone error and I-smoothing for improved discriminative training", ICASSP 2002).
        """
        before, after = self._around(scores)
        order, states = self._backwards, self._mirrored_states
        come = np.exp(before[self.sources] + scores - before[self.targets])
        gone = np.exp(after[self.targets] + scores - after[self.sources])
        so_far, from_here = self._expected(come, rewards), self._mirrored._expected(gone[order], rewards[order])[states]
        through = so_far[self.sources] + rewards + from_here[self.targets]
        return np.exp(before[self.sources] + scores + after[self.targets] - before[-1]) * (through - so_far[-1])

    def _expected(self, shares: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """Return the expected sum of rewards on the way to each state; `shares`: the arcs' of what enters a state."""
        reached = np.zeros(self.states)
        for arcs, states, begins in self._layers:
            reached[states] = np.add.reduceat(shares[arcs] * (reached[self.sources[arcs]] + rewards[arcs]), begins)
        return reached

    def _around(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the logarithms of the sums over all paths to each state, and from it to the end, (states,) each."""
        mirrored = self._mirrored._sweep(scores[None, self._backwards], np.logaddexp.reduceat)[0]
        return self._sweep(scores[None], np.logaddexp.reduceat)[0], mirrored[self._mirrored_states]

    @cached_property
    def _mirrored_states(self) -> np.ndarray:
        """(states,) number of each state in `_mirrored`."""
        return self.states - 1 - np.arange(self.states)

    @cached_property
    def _backwards(self) -> np.ndarray:
        """(arcs,) order of the arcs in `_mirrored`: from the last to the first by their sources."""
        return self.sources.argsort(kind="stable")[::-1]

    @cached_property
    def _mirrored(self) -> Lattice:
        """The lattice reversed, from the end to the start."""
        order, states = self._backwards, self._mirrored_states
        rest = (column[order] for column in (self.senones, self.outputs, self.graph, self.acoustic))
        return Lattice(
            states[self.targets[order]], states[self.sources[order]], self.frames[-1] - self.frames[order], *rest
        )
