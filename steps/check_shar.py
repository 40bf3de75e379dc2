#!/usr/bin/env python3
"""Read streams through; report what they hold, and which of their files are damaged.

e.g.: steps/check_shar.py data/shar/labelled data/shar/unlabelled
      steps/check_shar.py data/shar/unlabelled --remove true    # then steps/make_shar.py makes those shards again
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from understudy.step import UserError, command, read_json
from understudy.step.repair import Damage, repair


@dataclass
class Options:
    """What to check."""

    streams: list[Path] = field(default_factory=list)
    """folders of steps/make_shar.py"""
    remove: bool = False
    """remove the damaged files, so that steps/make_shar.py, run as it was, makes their shards again"""


def run(options: Options) -> None:
    """Print a line for each stream; the status is 1 where files are damaged and were not removed."""
    if not options.streams:
        raise UserError("name folders of streams, such as data/shar/unlabelled")
    found = {folder: Damage(_check(folder), folder, "steps/make_shar.py") for folder in options.streams}
    repair(found, options.remove, "files")


def _check(folder: Path) -> list[Path]:
    """Print what a stream holds, and return the files that are not what was written."""
    from understudy.shar import damaged, layout

    about, bad = read_json(folder / layout.ABOUT), []
    for path, what in damaged(folder):
        print(f"damaged: {path}: {what}")
        bad.append(path)
    cuts, hours = about["cuts"], about["seconds"] / 3600
    print(f"{folder}: {sum(cuts)} cuts, {hours:.2f} h in {len(cuts)} shards; {len(bad)} files damaged")
    return bad


if __name__ == "__main__":
    command(Options, run, first="streams")
