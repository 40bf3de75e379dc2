"""log Z of state graphs over a batch of utterances, and its gradient: senone occupancies.

The forward-backward recursion of Povey et al. 2016 (LF-MMI), with the graphs of a batch side by side as one sparse
matrix, scaled at every frame instead of leaking. Where there are more frames × states than `CELLS`, as in minutes of
speech, they are summed over in blocks of frames, of which those before the last are computed again on the way back:
memory does not grow with the square of an utterance's length. k2's exact intersection gives the same sums and is the
reference in the tests; on a CPU it needs 25 times as long for a denominator of 10 000 arcs.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from understudy.lang.state_graph import StateGraph

# torch 1.13 says that its sparse matrices are young; what is used of them is tested here.
warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")

_TINY = 1e-300
CELLS = 2**25
"""frames × states, over all utterances of a batch, that are in memory at once: 268 MB, five times"""


@dataclass
class GraphBatch:
    """State graphs of several utterances as one graph in parts that do not meet."""

    count: int
    """utterances"""
    owner: Tensor
    """(states,) utterance of a state"""
    entry: Tensor
    """(states,) senone"""
    loop: Tensor
    """(states,) senone"""
    start: Tensor
    """(states,) probability"""
    final: Tensor
    """(states,) probability"""
    stay: float
    """probability"""
    onward: Tensor
    """(states, states) sparse: row is the target of an arc, column its source"""
    back: Tensor
    """its transpose"""

    @classmethod
    def of(cls, graphs: Sequence[StateGraph], device: torch.device | str = "cpu") -> GraphBatch:
        """One graph for each utterance."""
        sizes = [len(g.entry) for g in graphs]
        first = np.cumsum([0, *sizes[:-1]])
        sources = np.concatenate([g.sources + f for g, f in zip(graphs, first)])
        targets = np.concatenate([g.targets + f for g, f in zip(graphs, first)])
        weights = np.exp(np.concatenate([g.weights for g in graphs]))

        def joined(name: str) -> Tensor:
            return torch.from_numpy(np.concatenate([getattr(g, name) for g in graphs])).to(device)

        total = sum(sizes)
        return cls(
            len(graphs), torch.from_numpy(np.repeat(np.arange(len(graphs)), sizes)).to(device), joined("entry"),
            joined("loop"), joined("start").exp(), joined("final").exp(), float(np.exp(graphs[0].stay)),
            _sparse(targets, sources, weights, total).to(device), _sparse(sources, targets, weights, total).to(device),
        )  # fmt: skip

    def sums(self, values: Tensor) -> Tensor:
        """(states,) to (utterances,)."""
        return values.new_zeros(self.count).index_add_(0, self.owner, values)


def _sparse(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, size: int) -> Tensor:
    order = np.lexsort((columns, rows))
    starts = np.searchsorted(rows[order], np.arange(size + 1))
    return torch.sparse_csr_tensor(
        torch.from_numpy(starts.astype(np.int32)),
        torch.from_numpy(columns[order].astype(np.int32)),
        torch.from_numpy(values[order]),
        (size, size),
    )


def log_partition(scores: Tensor, lengths: Tensor, graphs: GraphBatch) -> Tensor:
    """log of the sum over all paths of exp(scores along the path + the path's weight).

    Args:
        scores: (batch, frames, senones), nats; differentiable.
        lengths: (batch,) frames of each utterance, on the CPU.

    Returns:
        (batch,) double; −inf, with no gradient, for an utterance that no path fits, or whose paths are so unlikely
        on the way (by e⁷⁰⁰ at some frame) that double numbers lose them.
    """
    return _LogPartition.apply(scores, lengths, graphs)


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, lengths: Tensor, graphs: GraphBatch) -> Tensor:
        batch, frames, senones = scores.shape
        peaks = scores.detach().double().amax(2, keepdim=True)
        likelihoods = (scores.detach().double() - peaks).exp().transpose(0, 1).reshape(frames, batch * senones)
        over = torch.arange(frames)[:, None] >= lengths[None, :]  # past an utterance's end its sums stand still
        over = over.to(scores.device)
        total, gamma = _occupancies(graphs, _Emissions(graphs, likelihoods, over, senones))
        gamma = gamma.view(frames, batch, senones).masked_fill_(over[..., None], 0.0)
        # At every frame the shares of all paths sum to one, unless some were lost.
        lost = ((gamma.sum(2) - 1).abs().le(1e-3) | over).all(0).logical_not()
        ctx.save_for_backward(gamma.masked_fill_(lost[None, :, None], 0.0).transpose(0, 1).to(scores.dtype))
        return (total + peaks.squeeze(2).masked_fill(over.t(), 0.0).sum(1)).masked_fill(lost, -torch.inf)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (gamma,) = ctx.saved_tensors
        return gamma * grad[:, None, None].to(gamma.dtype), None, None


@dataclass
class _Emissions:
    """What states emit, made when it is needed, since there are more states than senones."""

    graphs: GraphBatch
    likelihoods: Tensor
    """(frames, batch × senones)"""
    over: Tensor
    """(frames, batch) whether an utterance has ended"""
    senones: int

    def __post_init__(self) -> None:
        first = self.graphs.owner * self.senones
        self.entry_at, self.loop_at = first + self.graphs.entry, first + self.graphs.loop

    def of(self, block: slice) -> tuple[Tensor, Tensor]:
        """(frames, states) likelihoods of a state's first frame; and of a further frame, with its weight."""
        entering = self.likelihoods[block].index_select(1, self.entry_at)
        staying = self.likelihoods[block].index_select(1, self.loop_at).mul_(self.graphs.stay)
        padding = self.over[block].index_select(1, self.graphs.owner)
        return entering.masked_fill_(padding, 0.0), staying.masked_fill_(padding, 1.0)

    def add(self, gamma: Tensor, block: slice, entered: Tensor, stayed: Tensor) -> None:
        """Add shares of states (frames, states) to those of their senones."""
        gamma[block].index_add_(1, self.entry_at, entered).index_add_(1, self.loop_at, stayed)


def _occupancies(graphs: GraphBatch, emissions: _Emissions) -> tuple[Tensor, Tensor]:
    """log Z (batch,), and the shares (frames, batch × senones) of the paths that are in a senone at a frame."""
    frames, size = len(emissions.likelihoods), max(1, CELLS // len(graphs.entry))
    blocks = [slice(begin, min(begin + size, frames)) for begin in range(0, frames, size)]
    edges: list[Tensor | None] = [None]  # alpha of the frame before each block
    scales: list[Tensor] = []
    held: tuple[Tensor, Tensor, Tensor] | None = None
    for block in blocks:
        held = None  # it goes before what the next block takes is made
        held, some = _ahead(graphs, emissions, block, edges[-1])
        alpha = held[2][-1].clone()
        edges.append(alpha)
        scales += some
    ends = graphs.sums(alpha * graphs.final)
    total = torch.stack(scales).log().sum(0) + ends.log()
    beta = graphs.final / ends.clamp_min(_TINY)[graphs.owner]
    gamma = torch.zeros_like(emissions.likelihoods)
    for block, edge in reversed(list(zip(blocks, edges))):
        entering, staying, alphas = held or _ahead(graphs, emissions, block, edge)[0]
        held = None
        entered, stayed, beta = _back(graphs, entering, staying, alphas, edge, scales[block], beta)
        emissions.add(gamma, block, entered, stayed)
        del entering, staying, alphas, entered, stayed
    return total, gamma


def _ahead(
    graphs: GraphBatch, emissions: _Emissions, block: slice, edge: Tensor | None
) -> tuple[tuple[Tensor, Tensor, Tensor], list[Tensor]]:
    """What states emit, entering and staying, and the scaled sums over the paths up to a frame, (frames, states) each;
    and the scales (batch,) of these frames.

    Args:
        edge: (states,) sums of the frame before; None at the beginning.
    """
    entering, staying = emissions.of(block)
    alphas, scales, alpha = torch.empty_like(entering), [], edge
    for t in range(len(entering)):
        if alpha is None:
            alpha = graphs.start * entering[t]
        else:
            alpha = torch.addcmul(torch.mv(graphs.onward, alpha).mul_(entering[t]), staying[t], alpha)
        scales.append(graphs.sums(alpha).clamp_min_(_TINY))
        alpha = alpha / scales[t][graphs.owner]
        alphas[t] = alpha
    return (entering, staying, alphas), scales


def _back(
    graphs: GraphBatch, entering: Tensor, staying: Tensor, alphas: Tensor, edge: Tensor | None, scales: list[Tensor],
    beta: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """The shares (frames, states) of the paths that enter a state at a frame, or stay in it; beta of the frame before.

    Args:
        edge: (states,) alpha of the frame before; None at the beginning.
        beta: (states,) of the last of these frames, scaled but for this frame's own scale.
    """
    entered, stayed = torch.empty_like(entering), torch.zeros_like(entering)
    for t in range(len(entering) - 1, -1, -1):
        beta = beta / scales[t][graphs.owner]
        weighed, ahead = entering[t] * beta, staying[t] * beta
        before = alphas[t - 1] if t else edge
        if before is None:
            entered[t] = graphs.start * weighed
        else:
            entered[t] = torch.mv(graphs.onward, before).mul_(weighed)
            stayed[t] = ahead * before
            beta = torch.mv(graphs.back, weighed).add_(ahead)
    return entered, stayed, beta
