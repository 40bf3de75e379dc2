"""Compression of gradients before they are sent: communication hooks of torch's DistributedDataParallel."""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook import PowerSGDState, powerSGD_hook
from torch.futures import Future
from torch.nn.parallel import DistributedDataParallel

from understudy.train.options import HookOptions

State = dict[str, Tensor]


class Hook(Protocol):
    """A way to send gradients, with the state that each rank keeps in a checkpoint."""

    def register(self, network: DistributedDataParallel) -> None:
        """Use the hook from the next update on."""

    def state(self) -> State:
        """Return the state to keep in a checkpoint."""

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""


def _register(network: DistributedDataParallel, hook: Any) -> None:
    # torch checks a hook's annotations: it accepts a hook without any, but not annotations that are strings.
    network.register_comm_hook(hook, lambda hook, bucket: hook.send(bucket))


class Plain:
    """Whole gradients, or gradients in half precision; without state."""

    def __init__(self, half: bool, group: dist.ProcessGroup | None) -> None:
        self.half, self.group = half, group

    def register(self, network: DistributedDataParallel) -> None:
        """See `Hook`."""
        if self.half:
            network.register_comm_hook(self.group, default_hooks.fp16_compress_hook)

    def state(self) -> State:
        """See `Hook`."""
        return {}

    def restore(self, state: State) -> None:
        """See `Hook`."""


class PowerSgd:
    """Torch's PowerSGD: matrices of low rank, whose error is added to the next gradient (Vogels et al. 2019)."""

    def __init__(self, options: HookOptions, group: dist.ProcessGroup | None) -> None:
        self.torchs = PowerSGDState(
            group, options.matrix_rank, options.exact_updates, orthogonalization_epsilon=1e-8,
        )  # fmt: skip

    def register(self, network: DistributedDataParallel) -> None:
        """See `Hook`."""
        _register(network, self)

    def send(self, bucket: dist.GradBucket) -> Future[Tensor]:
        """Send a bucket's gradients (the hook).

        Torch's hook starts a second message when the first has arrived. With several buckets, gloo's threads would do
        so in another order at each rank, so on CPUs one bucket waits for the other.
        """
        future = powerSGD_hook(self.torchs, bucket)
        if not bucket.buffer().is_cuda:
            future.wait()
        return future

    def _stores(self) -> dict[str, dict[int, Tensor]]:
        return {"error": self.torchs.error_dict, "p": self.torchs.p_memory_dict, "q": self.torchs.q_memory_dict}

    def state(self) -> State:
        """See `Hook`."""
        kept = {f"{name}.{bucket}": t for name, of in self._stores().items() for bucket, t in of.items()}
        return {**kept, "updates": torch.tensor(self.torchs.iter)}

    def restore(self, state: State) -> None:
        """See `Hook`."""
        self.torchs.iter = int(state["updates"])
        for key, tensor in state.items():
            name, _, bucket = key.partition(".")
            if bucket:
                self._stores()[name][int(bucket)] = tensor


class Threshold:
    """Threshold compression: elements beyond a threshold are sent as plus or minus it; the rest waits as a residual.

    Source: Strom, "Scalable distributed DNN training using commodity GPU cloud computing", Interspeech 2015: an
    element sent takes 32 bits, its index and its sign. His threshold is fixed; this one is relative to the root mean
    square of each parameter's gradient with its residual, which falls by orders of magnitude in a training (our
    choice).
    """

    def __init__(self, options: HookOptions, named: dict[str, Tensor], group: dist.ProcessGroup | None) -> None:
        self.times, self.named, self.group = options.threshold, named, group
        self.residuals = {id(tensor): torch.zeros_like(tensor) for tensor in named.values()}
        self.sent = self.whole = 0

    def register(self, network: DistributedDataParallel) -> None:
        """See `Hook`."""
        _register(network, self)

    def send(self, bucket: dist.GradBucket) -> Future[Tensor]:
        """Send a bucket's gradients (the hook). The result is the mean over the ranks of what was sent."""
        limits, entries = [], []
        sizes: list[int] = []
        for parameter, gradient in zip(bucket.parameters(), bucket.gradients(), strict=True):
            residual = self.residuals[id(parameter)].add_(gradient).view(-1)
            limit = self.times * residual.square().mean().sqrt()
            index = (residual.abs() > limit).nonzero()[:, 0]
            sign = residual[index].sign()
            residual[index] -= limit * sign
            limits.append(limit)
            entries.append((index + sum(sizes)) * 2 + (sign > 0))
            sizes.append(gradient.numel())
        return self._exchange(bucket.buffer(), torch.stack(limits), torch.cat(entries).int(), torch.tensor(sizes))

    def _exchange(self, buffer: Tensor, limits: Tensor, entries: Tensor, sizes: Tensor) -> Future[Tensor]:
        """Exchange messages; the mean over the ranks of what was sent is written into `buffer`."""
        ranks = dist.get_world_size(self.group)
        self.sent, self.whole = self.sent + len(entries), self.whole + len(buffer)
        # Messages differ in length: their lengths are sent first, then all messages, padded to the longest.
        head = torch.cat([limits.double(), limits.new_tensor([len(entries)], dtype=torch.double)])
        heads = [torch.empty_like(head) for _ in range(ranks)]
        dist.all_gather(heads, head, group=self.group)
        lengths = [int(one[-1]) for one in heads]
        padded = entries.new_zeros(max(lengths))
        padded[: len(entries)] = entries
        messages = [torch.empty_like(padded) for _ in range(ranks)]
        ends = sizes.cumsum(0).to(buffer.device)

        def add_up(_: Any) -> Tensor:
            buffer.zero_()
            for message, length, head in zip(messages, lengths, heads, strict=True):
                index, positive = message[:length].long() >> 1, (message[:length] & 1).to(buffer.dtype)
                limit = head[torch.bucketize(index, ends, right=True)].to(buffer.dtype)
                buffer.index_add_(0, index, limit * (2 * positive - 1) / ranks)
            return buffer

        return dist.all_gather(messages, padded, group=self.group, async_op=True).get_future().then(add_up)

    def state(self) -> State:
        """See `Hook`."""
        return {name: self.residuals[id(tensor)] for name, tensor in self.named.items()}

    def restore(self, state: State) -> None:
        """See `Hook`."""
        for name, tensor in self.named.items():
            self.residuals[id(tensor)].copy_(state[name])
