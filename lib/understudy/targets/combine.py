"""Soft targets of several teachers become one set: the mean of their posteriors, whatever each of them hears.

`understudy.models.combine` makes one teacher of several that hear the same features; targets may be combined of any
that tell the same senones apart, such as one of log-mels and one on a foreign encoder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from understudy.step import UserError, log, read_json
from understudy.targets.options import CombineTargetsOptions
from understudy.targets.shard import Shard
from understudy.targets.store import TargetReader, Targets, TargetWriter, shard_path

_ALIKE = ("senones", "tree", "supervision", "frame_shift_s")


def combine_targets(options: CombineTargetsOptions, out: Path) -> None:
    """Write the set, a shard for each of the first teacher's; shards that are there, and are of it, stay.

    What a teacher did not keep of a frame counts as nothing there.

    Raises:
        UserError: the sets are of several trees or kinds of supervision, or a cut has several lengths.
    """
    readers = [TargetReader([path]) for path in options.targets]
    writer = TargetWriter(out / options.targets[0].name, _described(options, readers), options.least)
    shards, left_out = read_json(options.targets[0] / "targets.json")["shards"], 0
    for number in range(shards):
        lengths = {cut: place.frames for cut, place in Shard(shard_path(options.targets[0], number)).places.items()}
        common = {cut: frames for cut, frames in lengths.items() if all(cut in reader for reader in readers)}
        left_out += len(lengths) - len(common)
        if not writer.has(number, common):
            found = {cut: _mean(cut, frames, readers, options) for cut, frames in common.items()}
            writer.write(number, found)
            log.info("shard %d of %d", number + 1, shards)
    writer.close(shards)
    if left_out:
        log.warning("%d cuts have targets of the first teacher and not of all, and were left out", left_out)


def _described(options: CombineTargetsOptions, readers: list[TargetReader]) -> dict[str, Any]:
    """What stands in every shard: the members, and what they have in common."""
    first = readers[0].describe
    for path, reader in zip(options.targets, readers, strict=True):
        for name in _ALIKE:
            if (found := reader.describe.get(name)) != (expected := first.get(name)):
                raise UserError(
                    f"{path}: its {name} must be {expected}, as in {options.targets[0]}, got {found}. Combine targets "
                    "of teachers with one tree, made by one kind of supervision."
                )
    common = {name: first.get(name) for name in _ALIKE[:-1]}
    return {
        **common, "teacher": "+".join(str(reader.describe.get("teacher")) for reader in readers), "k": options.k,
        "members": [reader.describe for reader in readers], "weights": options.shares,
    }  # fmt: skip


def _mean(cut: str, frames: int, readers: list[TargetReader], options: CombineTargetsOptions) -> Targets:
    total = torch.zeros(frames, readers[0].describe["senones"])
    for reader, share in zip(readers, options.shares, strict=True):
        senones, log_posteriors = reader.read(cut, frames)
        # What a frame has fewer of than k is padded with a senone of no probability.
        total.scatter_add_(1, torch.from_numpy(senones), torch.from_numpy(share * np.exp(log_posteriors)))
    values, kept = total.topk(min(options.k, total.shape[1]), 1, sorted=False)
    return {"senones": kept.int(), "log_posteriors": values.log(), "log_z": torch.zeros(frames)}
