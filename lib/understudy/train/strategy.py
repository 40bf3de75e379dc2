"""Computation of updates: in one process, by the ranks of torchrun together, or by each rank for itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from understudy.models import AcousticModel
from understudy.step import UserError, ranks
from understudy.train.bmuf import Bmuf, mean_
from understudy.train.hooks import Hook, Plain, PowerSgd, State, Threshold
from understudy.train.options import BmufOptions, ParallelOptions
from understudy.train.threads import Part, Threads
from understudy.train.weight_average import Weights


def device() -> torch.device:
    """Return this rank's device.

    Raises:
        UserError: a machine has more ranks than GPUs.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if ranks.local_rank() >= torch.cuda.device_count():
        raise UserError(f"rank {ranks.rank()}: the machine has {torch.cuda.device_count()} GPUs; give --nproc_per_node")
    torch.cuda.set_device(ranks.local_rank())
    return torch.device("cuda", ranks.local_rank())


def strategy(
    options: ParallelOptions, model: AcousticModel, threads: int
) -> SingleProcess | DataParallel | BlockMomentum:
    """Return the strategy that the options ask for; `model` is on its device already."""
    on_gpu = next(model.parameters()).is_cuda
    if ranks.world_size() > 1 and not on_gpu:
        torch.set_num_threads(1)
    own = Threads(1 if on_gpu or ranks.world_size() > 1 else threads)
    group = dist.new_group(backend="nccl") if ranks.world_size() > 1 and on_gpu else None
    if options.method == "bmuf":
        return BlockMomentum(model, own, options.bmuf, group)
    return (
        SingleProcess(model, own)
        if ranks.world_size() == 1
        else DataParallel(model, own, _hook(options, model, group), group)
    )


def _hook(options: ParallelOptions, model: AcousticModel, group: dist.ProcessGroup | None) -> Hook:
    if options.method == "powersgd":
        return PowerSgd(options.hook, group)
    if options.method == "threshold":
        return Threshold(options.hook, dict(model.named_parameters()), group)
    return Plain(options.method == "fp16", group)


class SingleProcess:
    """Updates in one process."""

    splits_batches = True
    """whether all ranks share each batch"""

    def __init__(self, model: AcousticModel, threads: Threads) -> None:
        self.network: torch.nn.Module = model
        self.parameters, self.threads = list(model.parameters()), threads

    def gradients(
        self, loss: Callable[[Part], Tensor], parts: list[Part], weights: list[float]
    ) -> tuple[float, list[Tensor]]:
        """Return this rank's Σ weight · loss(part), and the gradients of the update's loss."""
        return self.threads.gradients(self.parameters, loss, parts, weights)

    def synchronise(self, update: int, optimizer: Optimizer, average: Weights) -> bool:
        """Synchronise the ranks after an update. Returns whether all now hold the same state, as a checkpoint needs."""
        return True

    def mean(self, average: Weights) -> Weights:
        """Return the mean over all ranks of the running average of weights."""
        return average

    def state(self) -> State:
        """Return this rank's state for a checkpoint, besides weights and moments; rank 0 keeps what all ranks share."""
        return {}

    def restore(self, state: State) -> None:
        """Restore what `state` returned; the weights have been restored before."""


class DataParallel(SingleProcess):
    """Updates of ranks that share each batch: all make the update that one process would make with the whole batch."""

    network: DistributedDataParallel

    def __init__(self, model: AcousticModel, threads: Threads, hook: Hook, group: dist.ProcessGroup | None) -> None:
        super().__init__(model, threads)
        self.network = DistributedDataParallel(model, broadcast_buffers=False, process_group=group)
        # After its first gradient, DDP rebuilds its buckets in another order. This is done here once, so that a hook's
        # state stays in place, and a run that resumes adds in the same order as one that never stopped.
        silence = torch.zeros(1, 2, model.inputs, device=self.parameters[0].device)
        self.network(silence, torch.tensor([2])).sum().mul(0).backward()
        self.hook = hook
        hook.register(self.network)

    def gradients(
        self, loss: Callable[[Part], Tensor], parts: list[Part], weights: list[float]
    ) -> tuple[float, list[Tensor]]:
        """See `SingleProcess`."""
        total = 0.0
        for parameter in self.parameters:
            parameter.grad = None
        for number, (part, weight) in enumerate(zip(parts, weights, strict=True), 1):
            with nullcontext() if number == len(parts) else self.network.no_sync():
                value = loss(part) * weight
                (value * ranks.world_size()).backward()  # DDP averages over ranks; the weights are for a sum
            total += value.item()
        return total, [_gradient(parameter) for parameter in self.parameters]

    def state(self) -> State:
        """See `SingleProcess`."""
        return self.hook.state()

    def restore(self, state: State) -> None:
        """See `SingleProcess`."""
        self.hook.restore(state)


class BlockMomentum(SingleProcess):
    """Updates of ranks with batches of their own, which become one model at the end of each block (BMUF)."""

    splits_batches = False

    def __init__(
        self, model: AcousticModel, threads: Threads, options: BmufOptions, group: dist.ProcessGroup | None
    ) -> None:
        super().__init__(model, threads)
        self.bmuf = Bmuf(options, self.parameters, group)

    def synchronise(self, update: int, optimizer: Optimizer, average: Weights) -> bool:
        """See `SingleProcess`."""
        if update % self.bmuf.options.block:
            return False
        moments = [optimizer.state[weight][name] for weight in self.parameters for name in ("exp_avg", "exp_avg_sq")]
        self.bmuf.end([*moments, *average.values()])
        return True

    def mean(self, average: Weights) -> Weights:
        """See `SingleProcess`."""
        copy = {name: weight.clone() for name, weight in average.items()}
        mean_(list(copy.values()), self.bmuf.group)
        return copy

    def state(self) -> State:
        """See `SingleProcess`."""
        return {} if ranks.rank() else {str(number): delta for number, delta in enumerate(self.bmuf.deltas)}

    def restore(self, state: State) -> None:
        """See `SingleProcess`."""
        for number, delta in enumerate(self.bmuf.deltas):
            delta.copy_(state[str(number)])
        self.bmuf.begin()


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise ValueError("the loss does not depend on a parameter of the model")
    return parameter.grad
