"""One gradient from several threads, each with its own utterances of the batch.

An LSTM's steps over a small batch are too short for torch to share them out among cores: on two, one step of
training was 1.2 to 1.5 times faster than on one this way, 1.7 to 2 times with half of the utterances on each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

Part = TypeVar("Part")
Result = TypeVar("Result")


class Threads:
    """A pool of threads that each let torch use one core; one thread: no pool, torch keeps its own way."""

    def __init__(self, count: int) -> None:
        self.count = count
        if count > 1:
            torch.set_num_threads(1)
            self._pool = ThreadPoolExecutor(count)

    def map(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """`work` of each part, in their order."""
        return self._pool.map(work, parts) if self.count > 1 else map(work, parts)

    def gradients(
        self, parameters: Sequence[Tensor], loss: Callable[[Part], Tensor], parts: list[Part], weights: list[float]
    ) -> tuple[float, list[Tensor]]:
        """Value and gradients of Σ weight · loss(part); the sum's order is the parts', so that it never changes."""

        def work(part: Part, weight: float) -> tuple[float, list[Tensor]]:
            value = loss(part) * weight
            return value.item(), list(torch.autograd.grad(value, parameters))

        done = list(self.map(lambda pair: work(*pair), list(zip(parts, weights, strict=True))))
        total = done[0][1]
        for _, grads in done[1:]:
            for whole, grad in zip(total, grads, strict=True):
                whole += grad
        return sum(value for value, _ in done), total
