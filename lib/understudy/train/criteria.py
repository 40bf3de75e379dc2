"""Training criteria: each turns padded logits into a loss, in nats a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from understudy.data.batches import Batch
from understudy.train import losses


class Criterion(Protocol):
    """A loss for training and for evaluation of the dev set."""

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss per frame, differentiable.

        Args:
            logits: (batch, frames, senones), padded.
        """


@dataclass(frozen=True)
class Soft:
    """Cross-entropy on soft targets, over the frames that have them."""

    temperature: float = 1.0
    spread: bool = False

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """See `Criterion`."""
        rows = batch.rows(logits)
        if batch.has_soft_targets is not None:
            rows = rows[batch.has_soft_targets.to(rows.device)]
        if batch.senones is None or batch.log_posteriors is None:
            raise ValueError("a batch without soft targets has nothing to be taught by")
        senones, log_posteriors = batch.senones.to(rows.device), batch.log_posteriors.to(rows.device)
        return losses.soft(rows, senones, log_posteriors, self.temperature, self.spread)


@dataclass(frozen=True)
class Hard:
    """Cross-entropy on labels; in frames that have soft targets too, (1 − λ) · hard + λ · soft."""

    share: float = 0.0
    """λ"""
    soft: Soft = Soft()

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """See `Criterion`."""
        rows = batch.rows(logits)
        labels = batch.known_labels.to(rows.device)
        hard = losses.hard(rows, labels)
        if self.share == 0 or batch.senones is None:
            return hard
        if batch.has_soft_targets is None:
            return (1 - self.share) * hard + self.share * self.soft(logits, batch)
        taught = batch.has_soft_targets.to(rows.device)
        instead = self.soft(logits, batch) - losses.hard(rows[taught], labels[taught])
        return hard + self.share * len(batch.senones) / len(rows) * instead
