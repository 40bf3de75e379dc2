"""Block-wise model update filtering: ranks train by themselves, and become one model again at the end of each block.

Source: Chen and Huo, "Scalable training of deep learning machines by incremental block training with intra-block
parallel optimization and blockwise model-update filtering", ICASSP 2016.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from understudy.step import ranks
from understudy.train.options import BmufOptions


class Bmuf:
    """Merging of the ranks' models into one at the end of each block.

    With the mean θ̄ of the ranks' weights, θ the weights at the block's begin, and Δ the last block's filtered update:

        Δ' = ηΔ + ζ(θ̄ − θ);  θ' = θ + Δ' (classical), or θ + ζ(θ̄ − θ) + ηΔ' (Nesterov, whose θ is already ahead by ηΔ).

    The rest of each rank's state is averaged, not filtered: Adam's first moment is linear in the gradients, its second
    moment estimates the same expectation at each rank, and the running average of weights is linear in the weights. So
    after a block all ranks hold the same state, which is when checkpoints are written, and no rank's noise outlives
    its block.
    """

    def __init__(self, options: BmufOptions, weights: Sequence[Tensor], group: dist.ProcessGroup | None = None) -> None:
        """Begin the first block.

        Args:
            weights: parameters, the same values at each rank; changed in place.
            group: process group of all ranks; None: the default group, or a single rank.
        """
        self.options, self.weights, self.group = options, weights, group
        self.momentum = 1 - 1 / ranks.world_size() if options.momentum is None else options.momentum
        self.deltas = [torch.zeros_like(weight) for weight in weights]
        self.begin()

    @torch.no_grad()
    def begin(self) -> None:
        """Begin a block with the weights as they are."""
        self.begun = [weight.clone() for weight in self.weights]

    @torch.no_grad()
    def end(self, averaged: list[Tensor]) -> None:
        """End a block, and begin the next.

        Args:
            averaged: further tensors, averaged over the ranks in place.
        """
        mean_([*self.weights, *averaged], self.group)
        for weight, begun, delta in zip(self.weights, self.begun, self.deltas, strict=True):
            learnt, before = weight - begun, delta.clone()
            delta.mul_(self.momentum).add_(learnt, alpha=self.options.rate)
            # Computed from the mean, so that with η = 0 and ζ = 1 the result is exactly the mean.
            weight.add_(learnt, alpha=self.options.rate - 1)
            weight.add_(delta if self.options.nesterov else before, alpha=self.momentum)
        self.begin()


@torch.no_grad()
def mean_(tensors: list[Tensor], group: dist.ProcessGroup | None = None) -> None:
    """Replace each tensor by its mean over all ranks, all in one message."""
    if ranks.world_size() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat, group=group)
    flat /= ranks.world_size()
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))
