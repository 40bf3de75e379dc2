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
class Soft:
    """Cross-entropy on soft targets, of the frames that have them."""

    temperature: float = 1.0
    spread: bool = False

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """As of `Criterion`."""
        rows = batch.rows(logits)
        if batch.taught is not None:
            rows = rows[batch.taught.to(rows.device)]
        senones, log_posteriors = (values.to(rows.device) for values in (batch.senones, batch.log_posteriors))
        return losses.soft(rows, senones, log_posteriors, self.temperature, self.spread)


@dataclass(frozen=True)
class Hard:
    """Cross-entropy on labels: (1 − λ) · hard + λ · soft in frames that have soft targets too, hard in the others."""

    share: float = 0.0
    """λ"""
    soft: Soft = Soft()

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """As of `Criterion`."""
        rows = batch.rows(logits)
        labels = batch.labels.to(rows.device)
        hard = losses.hard(rows, labels)
        if self.share == 0 or batch.senones is None:
            return hard
        if batch.taught is None:
            return (1 - self.share) * hard + self.share * self.soft(logits, batch)
        taught = batch.taught.to(rows.device)
        instead = self.soft(logits, batch) - losses.hard(rows[taught], labels[taught])
        return hard + self.share * len(batch.senones) / len(rows) * instead
