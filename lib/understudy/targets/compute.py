"""One teacher pass over cuts, shard by shard; what is written of each frame is the teaching's matter."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lhotse.cut import Cut

from understudy import models
from understudy.corpus import in_shards
from understudy.features import Normaliser, stacked_frames
from understudy.parallel.prefetch import Prefetcher
from understudy.parallel.workers import Workers
from understudy.step import UserError, log
from understudy.targets.cost import Cost
from understudy.targets.options import LEAST, MAX_FRAMES
from understudy.targets.shard import Shard
from understudy.targets.store import Targets, TargetWriter, shard_path
from understudy.targets.supervision import TargetSupervision


@dataclass
class Written:
    """What a set of targets came to."""

    frames: int = 0
    """stacked frames of all cuts"""
    seconds: float = 0.0
    """of speech"""
    left_out: int = 0
    """cuts without supervision"""
    frames_now: int = 0
    """of the shards that were not there before"""
    cost: Cost = field(default_factory=Cost)
    """of all shards that tell theirs, whenever they were made"""


class _Task(NamedTuple):
    teaching: TargetSupervision
    writer: TargetWriter
    shard: int
    cuts: list[Cut]
    normaliser: Normaliser
    max_frames: int


def compute(
    teaching: TargetSupervision, cuts: Path, out: Path, describe: dict[str, Any], workers: Workers,
    shard_size: int = 500, max_frames: int = MAX_FRAMES, least: float = LEAST,
) -> Written:  # fmt: skip
    """Write targets of a manifest to `out`, shard by shard; shards that are there, and are of it, stay.

    Args:
        describe: what the reader compares between sets (`TargetSupervision.described`).
        max_frames: stacked frames of a batch.
        least: probability below which a senone is left out.
    """
    writer, written, shards = TargetWriter(out, describe, least), Written(), 0
    normaliser = Normaliser.load(cuts.parent / "normaliser.json")

    def missing() -> Iterator[_Task]:
        nonlocal shards
        for number, batch in enumerate(in_shards(cuts, shard_size)):
            shards = number + 1
            lengths = {c.id: stacked_frames(c) for c in batch}
            written.frames += sum(lengths.values())
            written.seconds += sum(c.duration for c in batch)
            written.left_out += len(batch)  # those with targets are taken away below
            if not writer.has(number, lengths):
                written.frames_now += sum(lengths.values())
                yield _Task(teaching, writer, number, batch, normaliser, max_frames)

    for number in workers.map(_write, missing(), f"{out.name}: shards"):
        log.info("%s: shard %d", out.name, number + 1)
    for number in range(shards):
        written.left_out -= len(Shard(shard_path(out, number)).places)
        written.cost.add(out, number)
    writer.close(shards)
    return written


def _write(task: _Task) -> int:
    begun, seconds = time.process_time(), sum(c.duration for c in task.cuts)

    def tell() -> None:
        Cost(time.process_time() - begun, seconds).save(task.writer.folder, task.shard)

    task.writer.write(task.shard, _targets(task), tell)
    return task.shard


def _targets(task: _Task) -> dict[str, Targets]:
    model, supervision = task.teaching.load()
    batches = by_length(task.cuts, task.max_frames)
    heard = Prefetcher()(lambda batch: models.heard(model, batch, task.normaliser), batches)
    done: dict[str, Targets | None] = {}
    for batch, features in zip(batches, heard, strict=True):
        logits = model.logits(features)
        for cut, one in zip(batch, logits, strict=True):
            # A sum is finite if all are, and is an eighth of the work. A search would make an empty lattice of what is
            # not, and leave the cut out.
            if not one.sum().isfinite():
                raise UserError(
                    f"cut {cut.id}: {task.teaching.model} gives logits that are not finite numbers. Do its features or "
                    "the model's weights hold such? Look at its training's log, and make features and model again."
                )
        done.update(zip((c.id for c in batch), supervision(logits), strict=True))
    return {c.id: targets for c in task.cuts if (targets := done[c.id]) is not None}


def by_length(cuts: list[Cut], max_frames: int) -> list[list[Cut]]:
    """Batches of cuts of like length, at most `max_frames` stacked frames with padding, one cut at least."""
    batches: list[list[Cut]] = []
    for cut in sorted(cuts, key=lambda c: stacked_frames(c)):
        # Each is the longest so far: what the batch is padded to.
        if not batches or (len(batches[-1]) + 1) * stacked_frames(cut) > max_frames:
            batches.append([])
        batches[-1].append(cut)
    return batches
