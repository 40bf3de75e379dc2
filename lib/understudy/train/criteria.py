"""What a pass of training minimises: each criterion turns padded logits into a loss, in nats a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from understudy.train import losses
from understudy.train.data import Batch


class Criterion(Protocol):
    """One loss for training and for looks at the dev set."""

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """Mean loss of a frame, differentiable.

        Args:
            logits: (batch, frames, senones), padded.
        """


@dataclass(frozen=True)
class Hard:
    """Cross-entropy on labels; where speech has soft targets too, these with weight `share` (λ)."""

    share: float = 0.0
    temperature: float = 1.0

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        rows = batch.rows(logits)
        share = self.share if batch.senones is not None else 0.0
        return losses.mixed(
            rows, _to(rows, batch.labels), _to(rows, batch.senones), _to(rows, batch.log_posteriors), share,
            self.temperature,
        )  # fmt: skip


@dataclass(frozen=True)
class Soft:
    """Cross-entropy on soft targets."""

    temperature: float = 1.0

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        rows = batch.rows(logits)
        return losses.soft(rows, _to(rows, batch.senones), _to(rows, batch.log_posteriors), self.temperature)


def _to(like: Tensor, values: Tensor | None) -> Tensor | None:
    return None if values is None else values.to(like.device)
