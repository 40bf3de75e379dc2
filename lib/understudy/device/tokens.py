"""Token passing over a decoding graph, a frame at a time, with numpy alone: on a device, and where k2 is not needed.

It prunes as Kaldi's LatticeFasterDecoder does: each frame to a beam and a number of states, and what is left to a beam
around the best path (Povey et al., "Generating exact lattices in the WFST framework", ICASSP 2012). A frame is
a handful of array operations over the arcs that leave the active states and those that epsilons lead to (`epsilons`).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from .epsilons import Entered, followed
from .graph_arcs import ranges
from .net import Net
from .paths import Lattice

IMPOSSIBLE = -1e20  # scores below count as −infinity: sums with them would lose all others
_PRUNED_EVERY = 50  # frames: so the links kept fit into memory, however long the utterance
_NONE = np.zeros(0, np.int64)


class Beams(Protocol):
    """Beams of a search (nats, after acoustic scaling), and its limits of active states."""

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


class _Links(NamedTuple):
    """Steps from the tokens of a frame to those of the next."""

    sources: np.ndarray
    """(links,) int64, index of a token of the frame"""
    targets: np.ndarray
    """(links,) int64, index of a token of the next frame"""
    arcs: np.ndarray
    """(links,) int64"""
    late: np.ndarray
    """(links,) float32: cost above that of the best link to the same token"""
    silent: np.ndarray
    """(links,) float32: cost of the epsilons on the way to the arc"""
    before: np.ndarray
    """(links,) int64: words of these epsilons, as an output"""

    def only(self, which: np.ndarray) -> _Links:
        return _Links(*(column[which] for column in self))


class TokenSearch:
    """Token passing over one utterance."""

    def __init__(self, net: Net, beams: Beams) -> None:
        self._net, self._beams = net, beams
        self._states, self._costs = np.zeros(1, np.int64), np.zeros(1, np.float32)  # of the tokens alive
        self._links: list[_Links] = []
        self._sizes = [1]  # tokens of each frame
        self._behind: list[np.ndarray] = []  # cost of each token's best path above the best, at the last pruning
        self._least = np.full(net.states, np.inf, np.float32)  # by state; infinite between frames
        self._place = np.empty(net.states, np.int32)  # by state

    def __call__(self, scores: np.ndarray) -> None:
        """Search on with (frames, senones) more scores."""
        costs = -np.where(scores > IMPOSSIBLE, scores, -np.inf).astype(np.float32)
        for frame in costs:
            self._step(frame)
            if len(self._links) % _PRUNED_EVERY == 0:
                self._prune(np.zeros(len(self._states), np.float32))

    def _entered(self) -> Entered:
        """Return the states that arcs with input leave from, or the utterance may end in."""
        beams = self._beams
        return followed(self._net, self._states, self._costs, (beams.search, beams.output), self._least)

    def _step(self, costs: np.ndarray) -> None:
        """Search one frame; costs are relative to its best token, so that single precision suffices."""
        net, beams = self._net, self._beams
        entered = self._entered()
        begins, ends = net.with_input(entered.states)
        entries, arcs = np.repeat(np.arange(len(begins)), ends - begins), ranges(begins, ends)
        taken = net.arcs(arcs)
        totals = entered.costs[entries] + taken.costs + costs[taken.senones]
        least = totals.min(initial=np.inf)
        # Where no token is left, "inf <= inf" would keep what is impossible.
        kept = np.flatnonzero(totals <= least + beams.search) if least < np.inf else _NONE
        leads = taken.targets(kept)
        states, reached = self._best_of(leads, totals[kept])
        limit = _nth(reached, beams.max_active)
        if len(states) <= beams.min_active and len(kept) < len(totals):
            kept = np.flatnonzero(totals < np.inf)
            leads = taken.targets(kept)
            states, reached = self._best_of(leads, totals[kept])
            limit = max(least + beams.search, _nth(reached, beams.min_active + 1))  # as Kaldi counts them
        if limit < np.inf:
            self._place[states] = -1
            alive = np.flatnonzero(reached <= limit)
            states, reached = states[alive], reached[alive]
        self._place[states] = np.arange(len(states))
        arcs, totals = arcs[kept], totals[kept]
        targets = self._place[leads]
        late = totals - reached[targets] if len(states) else totals
        links = np.flatnonzero((late <= beams.output) & (targets >= 0))
        by = entries[kept[links]]
        tokens = entered.tokens[by]
        silent = entered.costs[by] - self._costs[tokens]
        self._links.append(_Links(tokens, targets[links], arcs[links], late[links], silent, entered.outputs[by]))
        self._states, self._costs = states, reached - least if len(states) else reached
        self._sizes.append(len(states))
        self._behind.append(_NONE)

    def _best_of(self, targets: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distinct states among `targets`, and the least total of each."""
        np.minimum.at(self._least, targets, totals)
        best = np.flatnonzero(totals == self._least[targets])
        self._place[targets[best]] = best  # of equal ones, one
        best = best[self._place[targets[best]] == best]
        states, reached = targets[best], totals[best]
        self._least[states] = np.inf
        return states, reached

    def _prune(self, behind: np.ndarray) -> None:
        """Drop the links that are on no path within the output beam of the best.

        Args:
            behind: (tokens,) cost above the best of each token that is alive; 0 before the utterance's end, as any
                token may turn out to be the best. Infinite: the token is on no path.
        """
        for frame in reversed(range(len(self._links))):
            links = self._links[frame]
            total = behind[links.targets] + links.late
            kept = np.flatnonzero(total <= self._beams.output)
            self._links[frame] = links = links.only(kept)
            behind = np.full(self._sizes[frame], np.inf, np.float32)
            np.minimum.at(behind, links.sources, total[kept])
            if np.array_equal(behind, self._behind[frame]):
                return  # and so are those of all frames before
            self._behind[frame] = behind

    def so_far(self) -> tuple[list[int], list[int]] | None:
        """Return outputs and senones of the best path to any state; None: no path is left."""
        if not len(self._states):
            return None
        token, arcs, before = int(self._costs.argmin()), [], []
        for links in reversed(self._links):
            link = np.flatnonzero((links.targets == token) & (links.late == 0))[0]
            token = int(links.sources[link])
            arcs.append(links.arcs[link])
            before.append(links.before[link])
        path = np.array(arcs[::-1], np.int64)
        taken = self._net.arcs(path)
        outputs = self._net.sequences.joined(np.array(before[::-1], np.int64), taken.outputs(np.arange(len(path))))
        return outputs.tolist(), taken.senones.tolist()

    def lattice(self, scores: np.ndarray) -> Lattice | None:
        """Return all paths to an end of the graph within the output beam of the best; None: there is none.

        Args:
            scores: those of all frames so far, (frames, senones).
        """
        entered = self._entered()
        ends = entered.costs + self._net.ends(entered.states)[0]
        if not self._links or not (ends < np.inf).any():
            return None
        late, behind = ends - ends.min(), np.full(len(self._states), np.inf, np.float32)
        np.minimum.at(behind, entered.tokens, late)
        self._prune(behind)
        return self._numbered(entered.only(np.flatnonzero(late <= self._beams.output)), scores)

    def _numbered(self, ends: Entered, scores: np.ndarray) -> Lattice:
        """Return the lattice of the links that are left and of the states that the utterance may end in."""
        net, last = self._net, len(self._links)
        first = np.cumsum([0, *self._sizes])  # number of each frame's first token
        frames = np.repeat(np.arange(last), [len(links.arcs) for links in self._links])
        links = _Links(*(np.concatenate(column) for column in zip(*self._links, strict=True)))
        sources = np.append(first[frames] + links.sources, first[last] + ends.tokens)
        targets = np.append(first[frames + 1] + links.targets, np.full(len(ends.tokens), first[-1]))
        number = np.full(first[-1] + 1, -1)
        number[0], number[targets] = 0, 0
        used = np.flatnonzero(number == 0)
        number[used] = np.arange(len(used))
        taken, (final_costs, final_outputs) = net.arcs(links.arcs), net.ends(ends.states)
        order, senones = targets.argsort(kind="stable"), taken.senones.astype(np.int64)
        none = np.full(len(ends.tokens), -1)
        costs = links.silent + taken.costs
        end_costs = ends.costs - self._costs[ends.tokens] + final_costs
        columns = (
            number[sources], number[targets], np.append(frames, none + 1 + last), np.append(senones, none),
            np.append(net.sequences.joined(links.before, taken.outputs(np.arange(len(links.arcs)))),
                      net.sequences.joined(ends.outputs, final_outputs)),
            -np.append(costs, end_costs).astype(np.float64),
            np.append(scores[frames, senones], none + 1.0),
        )  # fmt: skip
        return Lattice(*(column[order] for column in columns))


def _nth(values: np.ndarray, n: int) -> float:
    """Return the n-th least value; infinite if there are no more than n."""
    return float(np.partition(values, n - 1)[n - 1]) if len(values) > n else np.inf
