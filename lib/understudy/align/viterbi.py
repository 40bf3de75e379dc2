"""Batched Viterbi over alignment graphs in torch: the same code on a CPU and on a GPU.

Exact (no beam). k2's dense intersection gives the same paths and is the reference in the tests; batched
over utterances this is several times faster on a CPU, where k2's search runs on one thread.

Memory is bounded, whatever the lengths: utterances are searched side by side as long as their padded scores are at most
`CELLS`. One that has more by itself is searched in blocks of frames; the last frame of each block is kept, and the rest
of a block is computed again when the way back comes to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from understudy.align.graph import AlignmentGraph

CELLS = 2**25
"""frames × states, over all utterances of a batch, whose scores are in memory at once: 134 MB, twice"""
_NONE = -1e30

Path = tuple[np.ndarray, float]
"""States (frames,), and their score in nats"""


def viterbi(graphs: Sequence[AlignmentGraph], scores: Sequence[torch.Tensor]) -> list[Path | None]:
    """Best state sequence of each utterance; transitions cost nothing (our choice: durations come from scores).

    Args:
        scores: per utterance (frames, labels), log-likelihoods or log-posteriors over priors.

    Returns:
        per utterance (states (frames,), score in nats), or None when it has too few frames for its transcript.
    """
    found: list[Path | None] = [None] * len(graphs)
    for part in _parts([(len(score), len(graph.labels)) for graph, score in zip(graphs, scores, strict=True)]):
        batch = _Batch.of([graphs[i] for i in part], [scores[i] for i in part])
        for i, path in zip(part, batch.search()):
            found[i] = path
    return found


def _parts(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Numbers of utterances, given their frames and states, that are searched side by side: `CELLS` at most, padding
    counted, or one utterance.
    """
    parts: list[list[int]] = []
    frames = states = 0
    for i in sorted(range(len(sizes)), key=sizes.__getitem__):
        frames, states = max(frames, sizes[i][0]), max(states, sizes[i][1])
        if not parts or frames * states * (len(parts[-1]) + 1) > CELLS:
            parts.append([])
            frames, states = sizes[i]
        parts[-1].append(i)
    return parts


@dataclass(frozen=True)
class _Batch:
    """Utterances side by side, padded to the most states and frames of any."""

    graphs: list[AlignmentGraph]
    scores: list[torch.Tensor]
    before: torch.Tensor
    """(width, batch, states) predecessors; those that a state lacks are a dead state behind the others"""
    start: torch.Tensor
    """(batch, states) nats"""

    @classmethod
    def of(cls, graphs: list[AlignmentGraph], scores: list[torch.Tensor]) -> _Batch:
        most = max(len(g.labels) for g in graphs)
        width = max(len(p) for g in graphs for p in g.predecessors)
        before = np.full((width, len(graphs), most), most, np.int64)
        start = torch.full((len(graphs), most), _NONE)
        for i, graph in enumerate(graphs):
            for s, preceding in enumerate(graph.predecessors):
                before[: len(preceding), i, s] = preceding
            start[i, : len(graph.labels)][torch.from_numpy(graph.starts)] = 0.0
        return cls(graphs, scores, torch.from_numpy(before), start)

    def search(self) -> list[Path | None]:
        """Of each utterance, as `viterbi` tells it."""
        frames, block = max(map(len, self.scores)), max(1, CELLS // self.start.numel())
        edges: list[torch.Tensor | None] = [None]  # best scores of the frame before each block
        for begin in range(0, frames, block):
            best = self._forward(begin, min(begin + block, frames), edges[-1])
            edges.append(best[-1].clone())
        ways = [_Way(graph, len(score)) for graph, score in zip(self.graphs, self.scores)]
        for number in range(len(edges) - 2, -1, -1):
            begin, edge = number * block, edges[number]
            if number < len(edges) - 2:
                best = self._forward(begin, begin + block, edge)
            for i, way in enumerate(ways):
                way.follow(best[:, i].numpy(), begin, None if edge is None else edge[i].numpy())
        return [way.path for way in ways]

    def _forward(self, begin: int, end: int, edge: torch.Tensor | None) -> torch.Tensor:
        """(frames, batch, states) best score of a path that ends in a state at each of these frames.

        Args:
            edge: (batch, states) that of the frame before, None at the beginning.
        """
        best, (batch, states) = self._emitted(begin, end), self.start.shape
        # All utterances in one flat row, so that a step is one look-up and one maximum.
        flat = (self.before + (torch.arange(batch) * (states + 1))[None, :, None]).flatten()
        last = torch.full((batch, states + 1), _NONE)
        for t in range(end - begin):
            if edge is None and t == 0:
                best[0] += self.start
            else:
                last[:, :states] = edge if edge is not None and t == 0 else best[t - 1]
                incoming = last.view(-1).index_select(0, flat).view(self.before.shape).amax(0)
                best[t] = (incoming + best[t]).clamp_min_(_NONE)
        return best

    def _emitted(self, begin: int, end: int) -> torch.Tensor:
        """(frames, batch, states) scores of the states' own labels."""
        emitted = torch.full((end - begin, *self.start.shape), _NONE)
        for i, (graph, score) in enumerate(zip(self.graphs, self.scores)):
            here = score[begin:end].float().index_select(1, torch.from_numpy(graph.labels))
            emitted[: len(here), i, : len(graph.labels)] = here
        return emitted


@dataclass
class _Way:
    """The way back through one utterance, from its best end."""

    graph: AlignmentGraph
    frames: int
    score: float = _NONE
    _states: np.ndarray = field(init=False)
    _state: int = 0

    def __post_init__(self) -> None:
        self._states = np.empty(self.frames, np.int64)

    @property
    def path(self) -> Path | None:
        """None: no path is short enough."""
        return None if self.score < _NONE / 2 else (self._states, self.score)

    def follow(self, best: np.ndarray, begin: int, edge: np.ndarray | None) -> None:
        """Through the frames from `begin` on, given best scores (frames, states) of theirs and of the frame before."""
        end = min(begin + len(best), self.frames)
        if begin < self.frames == end:
            ends = np.flatnonzero(self.graph.ends)
            self._state = int(ends[best[end - 1 - begin, ends].argmax()])
            self.score = float(best[end - 1 - begin, self._state])
        if self.path is None:
            return
        for t in range(end - 1, begin - 1, -1):
            self._states[t] = self._state
            row = best[t - 1 - begin] if t > begin else edge
            if row is not None:
                preceding = self.graph.predecessors[self._state]
                self._state = preceding[int(row[preceding].argmax())]
