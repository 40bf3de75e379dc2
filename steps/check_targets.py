#!/usr/bin/env python3
"""Read soft targets through: what they are, what they take, and which shards are damaged.

e.g.: steps/check_targets.py exp/targets/unlabelled
      steps/check_targets.py exp/targets/unlabelled --remove true

Shards that were removed are made again, and no others, by the step that made them: steps/make_targets.py (stage 6), or
steps/make_shar.py for the targets of a stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from understudy.shar import layout
from understudy.stage import UserError, command, read_json
from understudy.stage.repair import Damage, repair
from understudy.targets.shard import Shard
from understudy.targets.store import shard_path


@dataclass
class Options:
    """What to check."""

    targets: list[Path] = field(default_factory=list)
    """folders of a set each"""
    remove: bool = False
    """remove the damaged shards, so that the step that made them, run as it was, makes them again"""


def run(options: Options) -> None:
    """Print a line for each set; the status is 1 where shards are damaged and were not removed."""
    if not options.targets:
        raise UserError("name folders of targets, such as exp/targets/unlabelled")
    found = {folder: Damage(_check(folder), folder.parent, _maker(folder)) for folder in options.targets}
    repair(found, options.remove, "shards")


def _maker(folder: Path) -> str:
    """The step that makes what is missing in a folder."""
    return "steps/make_shar.py" if (folder.parent / layout.ABOUT).exists() else "steps/make_targets.py (stage 6)"


def _check(folder: Path) -> list[Path]:
    """Shards that cannot be read, are not there, or are not of this set."""
    described = read_json(folder / "targets.json")
    shards = described.pop("shards")
    frames = kept = size = 0
    faults = []
    for number in range(shards):
        path = shard_path(folder, number)
        try:
            shard = Shard(path)
            shard.check(described)
            blocks = [shard.block(i) for i in range(len(shard))]
        except UserError as error:
            print(f"damaged: {error}")
            faults.append(path)
            continue
        frames, kept = frames + shard.frames, kept + sum(len(block.senones) for block in blocks)
        size += path.stat().st_size
    told = ", ".join(f"{name} {value}" for name, value in {"shards": shards, **described}.items())
    each = f"{size / frames:.1f} bytes and {kept / frames:.1f} senones each" if frames else "none"
    print(f"{folder}: {told}; {frames} frames, {each}; {len(faults)} shards damaged")
    return faults


if __name__ == "__main__":
    command(Options, run, first="targets")
