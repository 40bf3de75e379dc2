"""Looks at the dev set while a model is trained."""

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
    """What dev says of a model."""

    loss: float
    """nats a frame"""
    accuracy: float
    """share of the frames whose label is the likeliest senone"""


class Evaluation:
    """The dev set, heard by a model as it is."""

    def __init__(
        self, model: AcousticModel, dev: Speech, criterion: Criterion, max_frames: int, device: torch.device,
        threads: Threads,
    ) -> None:  # fmt: skip
        """Hear nothing yet.

        Args:
            max_frames: of a batch.
        """
        self.model, self.dev, self.criterion = model, dev, criterion
        self.max_frames, self.device, self.threads = max_frames, device, threads

    def look(self) -> Look:
        """Hear all of it with the weights that the model has now, each rank a part."""
        order = self.dev.order(self.max_frames, None)
        batches = (self.dev.batch(spans, None, [0]) for spans in islice(order, ranks.rank(), None, ranks.world_size()))
        looks = [(0.0, 0, 0), *self.threads.map(self._hear, batches)]
        loss, right, frames = ranks.all_reduce([sum(column) for column in zip(*looks)])
        return Look(loss / frames, right / frames)

    @torch.no_grad()
    def _hear(self, batch: Batch) -> tuple[float, int, int]:
        """Sum of the loss, frames right, frames."""
        logits = self.model(batch.features.to(self.device), batch.lengths)
        right = int((batch.rows(logits).argmax(1).cpu() == batch.known_labels).sum())
        return float(self.criterion(logits, batch)) * batch.frames, right, batch.frames
