"""One teacher pass over cuts: no decoder, no lattice, no transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lhotse.cut import Cut

from understudy.corpus import in_shards
from understudy.features import Normaliser, load_stacked, stacked_length
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
    for shards, batch in enumerate(in_shards(cuts, shard_size), start=1):
        if not writer.has(shards - 1):
            writer.write(shards - 1, _targets(model, batch, normaliser, k, max_frames))
            log.info("%s: shard %d", out.name, shards)
        frames += sum(stacked_length(c.num_frames) for c in batch)
    writer.close(shards)
    return frames


def _targets(
    model: AcousticModel, cuts: list[Cut], normaliser: Normaliser, k: int, max_frames: int
) -> dict[str, dict[str, torch.Tensor]]:
    lengths = {c.id: stacked_length(c.num_frames) for c in cuts}
    by_length = sorted(cuts, key=lambda c: lengths[c.id])
    done: dict[str, dict[str, torch.Tensor]] = {}
    while by_length:
        size = max(1, max_frames // max(1, lengths[by_length[0].id]))
        while size > 1 and size * lengths[by_length[min(size, len(by_length)) - 1].id] > max_frames:
            size -= 1
        batch, by_length = by_length[:size], by_length[size:]
        logits = model.logits([torch.from_numpy(load_stacked(c, normaliser)) for c in batch])
        done.update({c.id: top_k(z, k) for c, z in zip(batch, logits)})
    return {c.id: done[c.id] for c in cuts}
