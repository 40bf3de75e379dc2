"""log Z of state graphs over a batch of utterances, and its gradient: senone occupancies.

The forward-backward recursion of Povey et al. 2016 (LF-MMI), scaled at every frame instead of leaking. Sums over paths
are columns that a sparse matrix of arcs is multiplied with. Graphs of their own stand side by side in one matrix and
one column. A graph that all utterances share has a column for each of them, and its states that lead on alike are added
up before its arcs are followed, so that a denominator of triphones has six times fewer arcs. Where there are more
frames × states than `CELLS`, as in minutes of speech, they are summed over in blocks of frames, of which those before
the last are computed again on the way back: memory does not grow with the square of an utterance's length. k2's exact
intersection gives the same sums and is the reference in the tests.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from understudy.lang.state_graph import StateGraph

# torch 1.13 says that its sparse matrices are young; what is used of them is tested here.
warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")
warnings.filterwarnings("ignore", "Sparse invariant checks are implicitly disabled")

CELLS = 2**25
"""frames × states, over all utterances of a batch, whose sums are in memory at once: 268 MB in double"""


@dataclass
class GraphBatch:
    """State graphs of several utterances: graphs that do not meet, in one column, or a column of one graph for each."""

    count: int
    """utterances"""
    columns: int
    """1, or the utterances, which share the graph"""
    owner: Tensor
    """(states,) utterance of a state; zeros where the graph is shared"""
    entry: Tensor
    """(states,) senone"""
    loop: Tensor
    """(states,) senone"""
    start: Tensor
    """(states, 1) probability"""
    final: Tensor
    """(states, 1) probability"""
    stay: float
    """probability"""
    onward: Tensor
    """(states, ways) sparse: row is the target of an arc, column the way out of its sources"""
    back: Tensor
    """its transpose"""
    way: Tensor | None = None
    """(states,) way out of each state; None: each has its own, of the state's number"""
    leave: Tensor | None = None
    """(ways, states) sparse: adds up the states of each way"""

    @classmethod
    def of(cls, graphs: Sequence[StateGraph], device: torch.device | str = "cpu") -> GraphBatch:
        """One graph for each utterance, summed over in double precision."""
        sizes = [len(g.entry) for g in graphs]
        first = np.cumsum([0, *sizes[:-1]])
        sources = np.concatenate([g.sources + f for g, f in zip(graphs, first)])
        targets = np.concatenate([g.targets + f for g, f in zip(graphs, first)])
        weights = np.exp(np.concatenate([g.weights for g in graphs]))

        def joined(name: str) -> Tensor:
            return torch.from_numpy(np.concatenate([getattr(g, name) for g in graphs])).to(device)

        total = sum(sizes)
        return cls(
            len(graphs), 1, torch.from_numpy(np.repeat(np.arange(len(graphs)), sizes)).to(device), joined("entry"),
            joined("loop"), joined("start").exp()[:, None], joined("final").exp()[:, None],
            float(np.exp(graphs[0].stay)), _sparse(targets, sources, weights, (total, total)).to(device),
            _sparse(sources, targets, weights, (total, total)).to(device),
        )  # fmt: skip

    @classmethod
    def merged(
        cls, graph: StateGraph, device: torch.device | str = "cpu", dtype: torch.dtype = torch.double
    ) -> GraphBatch:
        """One graph for one utterance, summed over in this precision; `shared` makes it one for several."""
        way, sources, targets, weights = _ways(graph)
        states, ways = len(graph.entry), int(way.max(initial=-1)) + 1
        leave = _sparse(way, np.arange(states), np.ones(states), (ways, states))

        def on(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values).to(device)

        return cls(
            1, 1, on(np.zeros(states, np.int64)), on(graph.entry), on(graph.loop),
            on(np.exp(graph.start)).to(dtype)[:, None], on(np.exp(graph.final)).to(dtype)[:, None],
            float(np.exp(graph.stay)), _sparse(targets, sources, weights, (states, ways)).to(device, dtype),
            _sparse(sources, targets, weights, (ways, states)).to(device, dtype), on(way), leave.to(device, dtype),
        )  # fmt: skip

    def shared(self, count: int) -> GraphBatch:
        """The graph of one utterance, for so many."""
        return replace(self, count=count, columns=count)

    def ahead(self, alpha: Tensor) -> Tensor:
        """(states, columns) sums over the arcs into each state."""
        return self.onward @ (alpha if self.leave is None else self.leave @ alpha)

    def behind(self, beta: Tensor) -> Tensor:
        """(states, columns) sums over the arcs out of each state."""
        beta = self.back @ beta
        return beta if self.way is None else beta.index_select(0, self.way)

    @property
    def dtype(self) -> torch.dtype:
        """Of the sums."""
        return self.start.dtype

    def sums(self, values: Tensor) -> Tensor:
        """(states, columns) to (utterances,)."""
        if self.columns > 1:
            return values.sum(0)
        return values.new_zeros(self.count).index_add_(0, self.owner, values[:, 0])

    def each(self, values: Tensor) -> Tensor:
        """(utterances,) to what the sums of their states, (states, columns), can be multiplied with."""
        return values[None] if self.columns > 1 else values[self.owner][:, None]


def _sparse(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    order = np.lexsort((columns, rows))
    starts = np.searchsorted(rows[order], np.arange(shape[0] + 1))
    return torch.sparse_csr_tensor(
        torch.from_numpy(starts.astype(np.int32)),
        torch.from_numpy(columns[order].astype(np.int32)),
        torch.from_numpy(values[order]),
        shape,
    )


def _ways(graph: StateGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """States with the same arcs out share a way out: (states,) way of each; and the arcs' ways, targets, weights."""
    order = np.lexsort((graph.weights, graph.targets, graph.sources))
    targets, weights = graph.targets[order], graph.weights[order]
    edges = np.searchsorted(graph.sources[order], np.arange(len(graph.entry) + 1)).tolist()
    found: dict[tuple[bytes, bytes], int] = {}
    way, kept = [], []
    for begin, end in pairwise(edges):
        key = targets[begin:end].tobytes(), weights[begin:end].tobytes()
        if key not in found:
            found[key] = len(found)
            kept.append(np.arange(begin, end))
        way.append(found[key])
    rows = np.concatenate([np.empty(0, int), *kept])
    sources = np.repeat(np.arange(len(kept)), [len(each) for each in kept])
    return np.array(way, int), sources, targets[rows], np.exp(weights[rows])


def log_partition(scores: Tensor, lengths: Tensor, graphs: GraphBatch) -> Tensor:
    """log of the sum over all paths of exp(scores along the path + the path's weight).

    Args:
        scores: (batch, frames, senones), nats; differentiable.
        lengths: (batch,) frames of each utterance, on the CPU.

    Returns:
        (batch,) double; −inf, with no gradient, for an utterance that no path fits, or whose paths are so unlikely
        on the way (by e⁷⁰⁰ at some frame, in single precision by e⁸⁰) that numbers lose them.
    """
    return _LogPartition.apply(scores, lengths, graphs)


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, lengths: Tensor, graphs: GraphBatch) -> Tensor:
        frames = scores.shape[1]
        values = scores.detach().to(graphs.dtype)
        peaks = values.amax(2, keepdim=True)
        likelihoods = (values - peaks).exp().permute(1, 2, 0).contiguous()
        over = torch.arange(frames)[:, None] >= lengths[None, :]  # past an utterance's end its sums stand still
        over = over.to(scores.device)
        total, gamma = _occupancies(graphs, _Emissions(graphs, likelihoods, over))
        gamma.masked_fill_(over[:, None], 0.0)
        # At every frame the shares of all paths sum to one, unless some were lost.
        lost = ((gamma.sum(1) - 1).abs().le(1e-3) | over).all(0).logical_not()
        gamma.masked_fill_(lost, 0.0)
        ctx.save_for_backward(gamma.permute(2, 0, 1).to(scores.dtype))
        heights = peaks.squeeze(2).double().masked_fill(over.t(), 0.0).sum(1)
        return (total + heights).masked_fill(lost, -torch.inf)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (gamma,) = ctx.saved_tensors
        return gamma * grad[:, None, None].to(gamma.dtype), None, None


class _Emissions:
    """What states emit at a frame; made when it is needed, since there are more states than senones."""

    def __init__(self, graphs: GraphBatch, likelihoods: Tensor, over: Tensor) -> None:
        """Nothing is made yet.

        Args:
            likelihoods: (frames, senones, batch).
            over: (frames, batch) whether an utterance has ended.
        """
        self.graphs, self.likelihoods, self.over = graphs, likelihoods, over
        self.padded = over.any(1).tolist()
        # Where the senones of the states stand among those of all columns.
        senones = torch.cat([graphs.entry, graphs.loop])
        self._place = senones if graphs.columns > 1 else senones * graphs.count + graphs.owner.repeat(2)
        shape = likelihoods[0].numel() // graphs.columns, len(senones)
        by_senone = _sparse(self._place.cpu().numpy(), np.arange(len(senones)), np.ones(len(senones)), shape)
        self._by_senone = by_senone.to(over.device, graphs.dtype)

    def __len__(self) -> int:
        return len(self.likelihoods)

    def of(self, frame: int) -> tuple[Tensor, Tensor]:
        """(states, columns) likelihoods of a state's first frame; and of a further one."""
        here = self.likelihoods[frame].view(-1, self.graphs.columns)
        entering, staying = here.index_select(0, self._place).chunk(2)
        if self.padded[frame]:
            over = self.graphs.each(self.over[frame])
            entering.masked_fill_(over, 0.0)
            staying.masked_fill_(over, 1 / self.graphs.stay)
        return entering, staying

    def shares(self, entered: Tensor, stayed: Tensor) -> Tensor:
        """(senones, batch) shares of the senones, of those of the states, (states, columns)."""
        return (self._by_senone @ torch.cat([entered, stayed])).view(self.likelihoods.shape[1:])


def _occupancies(graphs: GraphBatch, emissions: _Emissions) -> tuple[Tensor, Tensor]:
    """log Z (batch,), and the shares (frames, senones, batch) of the paths that are in a senone at a frame."""
    frames, size = len(emissions), max(1, CELLS // (len(graphs.entry) * graphs.columns))
    blocks = [range(begin, min(begin + size, frames)) for begin in range(0, frames, size)]
    edges: list[Tensor | None] = [None]  # alpha of the frame before each block
    scales: list[Tensor] = []
    held: Tensor | None = None
    for block in blocks:
        held = None  # it goes before what the next block takes is made
        held, some = _ahead(graphs, emissions, block, edges[-1])
        alpha = held[-1].clone()
        edges.append(alpha)
        scales += some
    ends = graphs.sums(alpha * graphs.final)
    total = torch.stack(scales).double().log().sum(0) + ends.double().log()
    beta = graphs.final / graphs.each(ends.clamp_min(_tiny(ends)))
    gamma = torch.empty_like(emissions.likelihoods)
    for block, edge in reversed(list(zip(blocks, edges))):
        alphas = _ahead(graphs, emissions, block, edge)[0] if held is None else held
        held = None
        beta = _back(graphs, emissions, block, alphas, edge, scales, beta, gamma)
        del alphas
    return total, gamma


def _ahead(graphs: GraphBatch, emissions: _Emissions, block: range, edge: Tensor | None) -> tuple[Tensor, list[Tensor]]:
    """The scaled sums over the paths up to a frame, (frames, states, columns); and the scales (batch,) of the frames.

    Args:
        edge: (states, columns) sums of the frame before; None at the beginning.
    """
    alphas = graphs.start.new_empty(len(block), len(graphs.entry), graphs.columns)
    scales, alpha = [], edge
    for t, frame in enumerate(block):
        entering, staying = emissions.of(frame)
        if alpha is None:
            alpha = entering.mul_(graphs.start)
        else:
            alpha = graphs.ahead(alpha).mul_(entering).addcmul_(staying, alpha, value=graphs.stay)
        scale = graphs.sums(alpha)
        scales.append(scale.clamp_min_(_tiny(scale)))
        alpha = torch.div(alpha, graphs.each(scale), out=alphas[t])
    return alphas, scales


def _back(
    graphs: GraphBatch, emissions: _Emissions, block: range, alphas: Tensor, edge: Tensor | None,
    scales: list[Tensor], beta: Tensor, gamma: Tensor,
) -> Tensor:  # fmt: skip
    """Write the shares of the paths that are in a senone at these frames to gamma; returns beta of the frame before.

    Args:
        edge: (states, columns) alpha of the frame before; None at the beginning.
        beta: (states, columns) of the last of these frames, scaled but for this frame's own scale.
    """
    for t in reversed(range(len(block))):
        frame = block[t]
        # A path that is in a state at a frame has entered it or stayed in it.
        entered = alphas[t] * beta
        before = alphas[t - 1] if t else edge
        if before is None:
            gamma[frame] = emissions.shares(entered, torch.zeros_like(entered))
            continue
        entering, staying = emissions.of(frame)
        beta = beta / graphs.each(scales[frame])
        ahead = staying.mul_(beta).mul_(graphs.stay)
        stayed = ahead * before
        gamma[frame] = emissions.shares(entered.sub_(stayed).clamp_min_(0.0), stayed)
        beta = graphs.behind(entering.mul_(beta)).add_(ahead)
    return beta


def _tiny(values: Tensor) -> float:
    """What no sum falls below, so that it can be divided by."""
    return float(torch.finfo(values.dtype).tiny)
