"""Soft targets read through: what they are, what they take, and which shards are damaged."""

from __future__ import annotations

from pathlib import Path

from understudy.shar import layout
from understudy.step import UserError, read_json
from understudy.step.repair import Damage, repair
from understudy.targets.options import CheckOptions
from understudy.targets.shard import Shard
from understudy.targets.store import shard_path


def check_targets(options: CheckOptions) -> None:
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
