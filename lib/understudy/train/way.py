"""How an update comes about: by one process, or by the ranks of torchrun, together or each by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from understudy.models import AcousticModel
from understudy.stage import UserError, ranks
from understudy.train.bmuf import Bmuf, BmufOptions, mean_
from understudy.train.hooks import Hook, HookOptions, Plain, PowerSgd, State, Threshold
from understudy.train.parallel import Part, Threads

Weights = dict[str, Tensor]


@dataclass
class ParallelOptions:
    """What the ranks of torchrun send one another; one rank sends nothing."""

    method: Literal["exact", "fp16", "powersgd", "threshold", "bmuf"] = "exact"
    """at every update gradients: whole, in half precision, as matrices of low rank, or what exceeds a threshold; or
    weights, at the end of a block (bmuf)"""
    hook: HookOptions = field(default_factory=HookOptions)
    """gradients made small"""
    bmuf: BmufOptions = field(default_factory=BmufOptions)
    """block-wise model update filtering"""


def depends(options: ParallelOptions) -> dict[str, Any]:
    """What a model depends on besides: the ranks, unless all that they change is the order of sums."""
    return {} if options.method == "exact" else {"ranks": ranks.count()}


def device() -> torch.device:
    """That of this rank.

    Raises:
        UserError: a machine has more ranks than GPUs.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if ranks.local() >= torch.cuda.device_count():
        raise UserError(f"rank {ranks.rank()}: the machine has {torch.cuda.device_count()} GPUs; give --nproc_per_node")
    torch.cuda.set_device(ranks.local())
    return torch.device("cuda", ranks.local())


def way(options: ParallelOptions, model: AcousticModel, threads: int) -> Alone | Together | Apart:
    """That of the options; `model` is on its device."""
    on_gpu = next(model.parameters()).is_cuda
    if ranks.count() > 1 and not on_gpu:
        torch.set_num_threads(1)
    own = Threads(1 if on_gpu or ranks.count() > 1 else threads)
    group = dist.new_group(backend="nccl") if ranks.count() > 1 and on_gpu else None
    if options.method == "bmuf":
        return Apart(model, own, options.bmuf, group)
    return Alone(model, own) if ranks.count() == 1 else Together(model, own, _hook(options, model, group), group)


def _hook(options: ParallelOptions, model: AcousticModel, group: dist.ProcessGroup | None) -> Hook:
    if options.method == "powersgd":
        return PowerSgd(options.hook, group)
    if options.method == "threshold":
        return Threshold(options.hook, dict(model.named_parameters()), group)
    return Plain(options.method == "fp16", group)


class Alone:
    """One process."""

    divided = True
    """all ranks share each batch"""

    def __init__(self, model: AcousticModel, threads: Threads) -> None:
        self.network: torch.nn.Module = model
        self.parameters, self.threads = list(model.parameters()), threads

    def gradients(
        self, loss: Callable[[Part], Tensor], parts: list[Part], weights: list[float]
    ) -> tuple[float, list[Tensor]]:
        """This rank's Σ weight · loss(part), and the gradients of what the update minimises."""
        return self.threads.gradients(self.parameters, loss, parts, weights)

    def settle(self, update: int, optimizer: Optimizer, average: Weights) -> bool:
        """After an update: whether all ranks hold the same, as they must in a checkpoint."""
        return True

    def mean(self, average: Weights) -> Weights:
        """The running average of weights, of all ranks."""
        return average

    def state(self) -> State:
        """What this rank keeps in a checkpoint, besides weights and moments; what all hold alike, the first keeps."""
        return {}

    def restore(self, state: State) -> None:
        """Go on with the weights as they are now."""


class Together(Alone):
    """Ranks share each batch, and all make the same update: that of one process with the whole batch."""

    def __init__(self, model: AcousticModel, threads: Threads, hook: Hook, group: dist.ProcessGroup | None) -> None:
        super().__init__(model, threads)
        self.network = DistributedDataParallel(model, broadcast_buffers=False, process_group=group)
        # After its first gradient DDP puts its buckets in another order. With that over, what a hook keeps stays in
        # place, and a run that goes on from a checkpoint adds in the same order as one that never stopped.
        silence = torch.zeros(1, 2, model.inputs, device=self.parameters[0].device)
        self.network(silence, torch.tensor([2])).sum().mul(0).backward()
        self.hook = hook
        hook.register(self.network)

    def gradients(
        self, loss: Callable[[Part], Tensor], parts: list[Part], weights: list[float]
    ) -> tuple[float, list[Tensor]]:
        """As of `Alone`."""
        total = 0.0
        for parameter in self.parameters:
            parameter.grad = None
        for number, (part, weight) in enumerate(zip(parts, weights, strict=True), 1):
            with nullcontext() if number == len(parts) else self.network.no_sync():
                value = loss(part) * weight
                (value * ranks.count()).backward()  # DDP takes the mean over ranks, weights are for the sum
            total += value.item()
        return total, [parameter.grad for parameter in self.parameters]

    def state(self) -> State:
        """As of `Alone`."""
        return self.hook.state()

    def restore(self, state: State) -> None:
        """As of `Alone`."""
        self.hook.restore(state)


class Apart(Alone):
    """Ranks have batches of their own, and become one model at the end of each block."""

    divided = False

    def __init__(
        self, model: AcousticModel, threads: Threads, options: BmufOptions, group: dist.ProcessGroup | None
    ) -> None:
        super().__init__(model, threads)
        self.bmuf = Bmuf(options, self.parameters, group)

    def settle(self, update: int, optimizer: Optimizer, average: Weights) -> bool:
        """As of `Alone`."""
        if update % self.bmuf.options.block:
            return False
        moments = [optimizer.state[weight][name] for weight in self.parameters for name in ("exp_avg", "exp_avg_sq")]
        self.bmuf.end([*moments, *average.values()])
        return True

    def mean(self, average: Weights) -> Weights:
        """As of `Alone`."""
        copy = {name: weight.clone() for name, weight in average.items()}
        mean_(list(copy.values()), self.bmuf.group)
        return copy

    def state(self) -> State:
        """As of `Alone`."""
        return {} if ranks.rank() else {str(number): delta for number, delta in enumerate(self.bmuf.deltas)}

    def restore(self, state: State) -> None:
        """As of `Alone`."""
        for number, delta in enumerate(self.bmuf.deltas):
            delta.copy_(state[str(number)])
        self.bmuf.begin()
