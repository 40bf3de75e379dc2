"""Token passing over a decoding graph, a frame at a time, with numpy alone: where k2 is not needed, and on a device.

It prunes as Kaldi's LatticeFasterDecoder does: to a beam and to so many states a frame, and what was kept to a beam
around the best path (Povey et al., "Generating exact lattices in the WFST framework", ICASSP 2012). The graph has no
epsilon input, so that a frame is a handful of array operations over the arcs that leave the active states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .decoding_graph import DecodingGraph
from .paths import Lattice

IMPOSSIBLE = -1e20  # scores below are no scores: sums of them would lose all others
_PRUNED_EVERY = 50  # frames: what is kept of the others fits into memory, however long the utterance
_NONE = np.zeros(0, np.int64)


class Beams(Protocol):
    """How far the search looks (nats, after acoustic scaling)."""

    @property
    def search(self) -> float:
        """Beam of the search."""

    @property
    def output(self) -> float:
        """Beam of the lattice."""

    @property
    def min_active(self) -> int:
        """Active states per frame, at least."""

    @property
    def max_active(self) -> int:
        """Active states per frame, at most."""


@dataclass(frozen=True, eq=False)
class Net:
    """A decoding graph by the states that its arcs leave."""

    begins: np.ndarray
    """(states + 1,) int64, number of each state's first arc"""
    targets: np.ndarray
    """(arcs,) int64"""
    senones: np.ndarray
    """(arcs,) int64"""
    outputs: np.ndarray
    """(arcs,) int64, word or sequence of words; 0: none"""
    costs: np.ndarray
    """(arcs,) float32, nats"""
    final_costs: np.ndarray
    """(states,) float32, infinite where no utterance may end"""
    final_outputs: np.ndarray
    """(states,) int64"""

    @classmethod
    def of(cls, graph: DecodingGraph) -> Net:
        """Its arcs are sorted by source."""
        final = graph.labels < 0
        outputs, costs = graph.outputs.clip(0).astype(np.int64), -graph.scores
        ends, end_outputs = np.full(graph.states, np.inf, np.float32), np.zeros(graph.states, np.int64)
        ends[graph.sources[final]], end_outputs[graph.sources[final]] = costs[final], outputs[final]
        begins = np.searchsorted(graph.sources[~final], np.arange(graph.states + 1))
        targets, senones, words = (one[~final].astype(np.int64) for one in (graph.targets, graph.labels - 1, outputs))
        return cls(begins, targets, senones, words, costs[~final], ends, end_outputs)


class _Links(NamedTuple):
    """Steps from the tokens of a frame to those of the next."""

    sources: np.ndarray
    """(links,) int64, token of the frame"""
    targets: np.ndarray
    """(links,) int64, token of the next"""
    arcs: np.ndarray
    """(links,) int64"""
    late: np.ndarray
    """(links,) float32: cost above that of the best link to the same token"""

    def only(self, which: np.ndarray) -> _Links:
        return _Links(*(column[which] for column in self))


class TokenSearch:
    """One utterance."""

    def __init__(self, net: Net, beams: Beams) -> None:
        self._net, self._beams = net, beams
        self._states, self._costs = np.zeros(1, np.int64), np.zeros(1, np.float32)  # of the tokens alive
        self._links: list[_Links] = []
        self._sizes = [1]  # tokens of each frame
        self._behind: list[np.ndarray] = []  # cost of each token's best path above the best, as of the last pruning
        self._least = np.full(len(net.final_costs), np.inf, np.float32)  # by state; infinite between frames
        self._place = np.empty(len(net.final_costs), np.int64)  # by state

    def __call__(self, scores: np.ndarray) -> None:
        """Search on with (frames, senones) more scores."""
        costs = -np.where(scores > IMPOSSIBLE, scores, -np.inf).astype(np.float32)
        for frame in costs:
            self._step(frame)
            if len(self._links) % _PRUNED_EVERY == 0:
                self._prune(np.zeros(len(self._states), np.float32))

    def _step(self, costs: np.ndarray) -> None:
        """One frame; costs are counted from its best token on, so that single precision does."""
        net, beams = self._net, self._beams
        begins = net.begins[self._states]
        counts = net.begins[self._states + 1] - begins
        tokens = np.repeat(np.arange(len(counts)), counts)
        arcs = np.arange(len(tokens)) + (begins - counts.cumsum() + counts)[tokens]
        totals = self._costs[tokens] + net.costs[arcs] + costs[net.senones[arcs]]
        least = totals.min(initial=np.inf)
        # Where no token is left, "inf <= inf" would keep what is impossible.
        kept = np.flatnonzero(totals <= least + beams.search) if least < np.inf else _NONE
        states, reached = self._best_of(arcs[kept], totals[kept])
        limit = _nth(reached, beams.max_active)
        if len(states) <= beams.min_active and len(kept) < len(totals):
            kept = np.flatnonzero(totals < np.inf)
            states, reached = self._best_of(arcs[kept], totals[kept])
            limit = max(least + beams.search, _nth(reached, beams.min_active + 1))  # as Kaldi counts them
        if limit < np.inf:
            self._place[states] = -1
            alive = np.flatnonzero(reached <= limit)
            states, reached = states[alive], reached[alive]
        self._place[states] = np.arange(len(states))
        arcs, totals = arcs[kept], totals[kept]
        targets = self._place[net.targets[arcs]]
        late = totals - reached[targets] if len(states) else totals
        links = np.flatnonzero((late <= beams.output) & (targets >= 0))
        self._links.append(_Links(tokens[kept[links]], targets[links], arcs[links], late[links]))
        self._states, self._costs = states, reached - least if len(states) else reached
        self._sizes.append(len(states))
        self._behind.append(_NONE)

    def _best_of(self, arcs: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States that arcs lead to, and the least total of each."""
        targets = self._net.targets[arcs]
        np.minimum.at(self._least, targets, totals)
        best = np.flatnonzero(totals == self._least[targets])
        self._place[targets[best]] = best  # of several that are equal, one
        best = best[self._place[targets[best]] == best]
        states, reached = targets[best], totals[best]
        self._least[states] = np.inf
        return states, reached

    def _prune(self, behind: np.ndarray) -> None:
        """Drop the links that are on no path within the output beam of the best.

        Args:
            behind: (tokens,) cost of each token that is alive above the best of them; before the end any may turn out
                to be the best, so that it is 0. Infinite: it is on no path.
        """
        for frame in reversed(range(len(self._links))):
            links = self._links[frame]
            total = behind[links.targets] + links.late
            kept = np.flatnonzero(total <= self._beams.output)
            self._links[frame] = links = links.only(kept)
            behind = np.full(self._sizes[frame], np.inf, np.float32)
            np.minimum.at(behind, links.sources, total[kept])
            if np.array_equal(behind, self._behind[frame]):
                return  # and so are all before
            self._behind[frame] = behind

    def so_far(self) -> tuple[list[int], list[int]] | None:
        """Outputs and senones of the best path, wherever it may end; None: none is left."""
        if not len(self._states):
            return None
        token, arcs = int(self._costs.argmin()), []
        for links in reversed(self._links):
            link = np.flatnonzero((links.targets == token) & (links.late == 0))[0]
            token = int(links.sources[link])
            arcs.append(links.arcs[link])
        path = np.array(arcs[::-1], np.int64)
        return self._net.outputs[path].tolist(), self._net.senones[path].tolist()

    def lattice(self, scores: np.ndarray) -> Lattice | None:
        """All paths to an end of the graph within the output beam of the best; None: there is none.

        Args:
            scores: all that was searched, (frames, senones).
        """
        ends = self._costs + self._net.final_costs[self._states]
        if not self._links or not (ends < np.inf).any():
            return None
        behind = ends - ends.min()
        self._prune(behind)
        return self._numbered(np.flatnonzero(behind <= self._beams.output), scores)

    def _numbered(self, ends: np.ndarray, scores: np.ndarray) -> Lattice:
        """The lattice of the links that are left and of the tokens `ends`, from which it ends."""
        net, last = self._net, len(self._links)
        first = np.cumsum([0, *self._sizes])  # number of each frame's first token
        frames = np.repeat(np.arange(last), [len(links.arcs) for links in self._links])
        links = _Links(*(np.concatenate(column) for column in zip(*self._links, strict=True)))
        sources = np.append(first[frames] + links.sources, first[last] + ends)
        targets = np.append(first[frames + 1] + links.targets, np.full(len(ends), first[-1]))
        number = np.full(first[-1] + 1, -1)
        number[0], number[targets] = 0, 0
        used = np.flatnonzero(number == 0)
        number[used] = np.arange(len(used))
        order, states, senones = targets.argsort(kind="stable"), self._states[ends], net.senones[links.arcs]
        none = np.full(len(ends), -1)
        columns = (
            number[sources], number[targets], np.append(frames, none + 1 + last), np.append(senones, none),
            np.append(net.outputs[links.arcs], net.final_outputs[states]),
            -np.append(net.costs[links.arcs], net.final_costs[states]).astype(np.float64),
            np.append(scores[frames, senones], none + 1.0),
        )  # fmt: skip
        return Lattice(*(column[order] for column in columns))


def _nth(values: np.ndarray, n: int) -> float:
    """The n-th least; infinite where there are not so many."""
    return float(np.partition(values, n - 1)[n - 1]) if len(values) > n else np.inf
