"""One teacher pass over cuts: no decoder, no lattice, no transcript."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lhotse import CutSet
from lhotse.cut import Cut

from understudy.features import Normaliser, load_stacked
from understudy.models import AcousticModel
from understudy.stage import log
from understudy.targets.store import TargetWriter, top_k


def compute(
    model: AcousticModel, cuts: Path, out: Path, normaliser: Normaliser, describe: dict[str, Any], k: int,
    shard_size: int, max_frames: int,
) -> int:  # fmt: skip
    """Write soft targets of a manifest to `out`, shard by shard; shards that are there stay.

    Args:
        describe: what the reader compares between sets (teacher, tree, k).
        max_frames: stacked frames of a batch.

    Returns:
        stacked frames in all.
    """
    writer = TargetWriter(out, {**describe, "k": k})
    frames = shards = 0
    for shards, batch in enumerate(_shards(cuts, shard_size), start=1):
        if not writer.has(shards - 1):
            writer.write(shards - 1, _targets(model, batch, normaliser, k, max_frames))
            log.info("%s: shard %d", out.name, shards)
        frames += sum(c.num_frames // 3 for c in batch)
    writer.close(shards)
    return frames


def _shards(cuts: Path, size: int) -> Iterator[list[Cut]]:
    stream = iter(CutSet.from_file(cuts))
    while batch := list(itertools.islice(stream, size)):
        yield batch


def _targets(
    model: AcousticModel, cuts: list[Cut], normaliser: Normaliser, k: int, max_frames: int
) -> dict[str, dict[str, torch.Tensor]]:
    by_length = sorted(cuts, key=lambda c: c.num_frames)
    done: dict[str, dict[str, torch.Tensor]] = {}
    while by_length:
        size = max(1, max_frames // max(1, by_length[0].num_frames // 3))
        while size > 1 and size * (by_length[min(size, len(by_length)) - 1].num_frames // 3) > max_frames:
            size -= 1
        batch, by_length = by_length[:size], by_length[size:]
        logits = model.logits([torch.from_numpy(load_stacked(c, normaliser)) for c in batch])
        done.update({c.id: top_k(z, k) for c, z in zip(batch, logits)})
    return {c.id: done[c.id] for c in cuts}
