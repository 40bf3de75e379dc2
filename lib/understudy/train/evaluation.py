"""Evaluation of a model on the dev set during training."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import torch

from understudy.data.batches import Batch
from understudy.data.speech import Speech
from understudy.models import AcousticModel
from understudy.step import ranks
from understudy.train.criteria import Criterion
from understudy.train.threads import Threads


class Look(NamedTuple):
    """Loss and frame accuracy of a model on the dev set."""

    loss: float
    """nats a frame"""
    accuracy: float
    """share of the frames whose label is the likeliest senone"""


class Evaluation:
    """Evaluation of a model on the dev set, with its current weights."""

    def __init__(
        self, model: AcousticModel, dev: Speech, criterion: Criterion, max_frames: int, device: torch.device,
        threads: Threads,
    ) -> None:  # fmt: skip
        """Set up; nothing is evaluated yet.

        Args:
            max_frames: frames in a batch, at most.
        """
        self.model, self.dev, self.criterion = model, dev, criterion
        self.max_frames, self.device, self.threads = max_frames, device, threads

    def look(self) -> Look:
        """Evaluate the whole set with the model's current weights, each rank a part of it."""
        order = self.dev.order(self.max_frames, None)
        batches = (self.dev.batch(spans, None, [0]) for spans in islice(order, ranks.rank(), None, ranks.world_size()))
        looks = [(0.0, 0, 0), *self.threads.map(self._hear, batches)]
        loss, right, frames = ranks.all_reduce([sum(column) for column in zip(*looks)])
        return Look(loss / frames, right / frames)

    @torch.no_grad()
    def _hear(self, batch: Batch) -> tuple[float, int, int]:
        """Return the sum of the loss over frames, the number of correct frames, and the number of frames."""
        logits = self.model(batch.features.to(self.device), batch.lengths)
        right = int((batch.rows(logits).argmax(1).cpu() == batch.known_labels).sum())
        return float(self.criterion(logits, batch)) * batch.frames, right, batch.frames
