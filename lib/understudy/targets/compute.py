"""One teacher pass over cuts, shard by shard; what is written of each frame is the supervision's matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lhotse.cut import Cut

from understudy.corpus import in_shards
from understudy.features import Normaliser, load_stacked, stacked_length
from understudy.models import AcousticModel
from understudy.stage import log
from understudy.targets.shard import Shard
from understudy.targets.store import LEAST, Targets, TargetWriter, shard_path

Supervision = Callable[[list[torch.Tensor]], list[Targets | None]]
"""Logits (frames, senones) of a batch to what is stored of each; None: there is nothing to learn from it."""


@dataclass
class Written:
    """What a set of targets came to."""

    frames: int = 0
    """stacked frames of all cuts"""
    seconds: float = 0.0
    """of speech"""
    left_out: int = 0
    """cuts without supervision"""


def compute(
    model: AcousticModel, supervision: Supervision, cuts: Path, out: Path, normaliser: Normaliser,
    describe: dict[str, Any], shard_size: int, max_frames: int, least: float = LEAST,
) -> Written:  # fmt: skip
    """Write targets of a manifest to `out`, shard by shard; shards that are there stay.

    Args:
        describe: what the reader compares between sets (teacher, tree, k, supervision).
        max_frames: stacked frames of a batch.
        least: probability below which a senone is left out.
    """
    writer, written, shards = TargetWriter(out, describe, least), Written(), 0
    for shards, batch in enumerate(in_shards(cuts, shard_size), start=1):
        if not writer.has(shards - 1):
            writer.write(shards - 1, _targets(model, supervision, batch, normaliser, max_frames))
            log.info("%s: shard %d", out.name, shards)
        written.frames += sum(stacked_length(c.num_frames) for c in batch)
        written.seconds += sum(c.duration for c in batch)
        written.left_out += len(batch) - len(Shard(shard_path(out, shards - 1)).places)
    writer.close(shards)
    return written


def _targets(
    model: AcousticModel, supervision: Supervision, cuts: list[Cut], normaliser: Normaliser, max_frames: int
) -> dict[str, Targets]:
    lengths = {c.id: stacked_length(c.num_frames) for c in cuts}
    by_length = sorted(cuts, key=lambda c: lengths[c.id])
    done: dict[str, Targets | None] = {}
    while by_length:
        size = max(1, max_frames // max(1, lengths[by_length[0].id]))
        while size > 1 and size * lengths[by_length[min(size, len(by_length)) - 1].id] > max_frames:
            size -= 1
        batch, by_length = by_length[:size], by_length[size:]
        logits = model.logits([torch.from_numpy(load_stacked(c, normaliser)) for c in batch])
        done.update(zip((c.id for c in batch), supervision(logits), strict=True))
    return {c.id: targets for c in cuts if (targets := done[c.id]) is not None}
