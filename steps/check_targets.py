#!/usr/bin/env python3
"""Read soft targets through; report what they are, their size, and which shards are damaged.

e.g.: steps/check_targets.py exp/targets/unlabelled
      steps/check_targets.py exp/targets/unlabelled --remove true

Shards that were removed are made again, and no others, by the step that made them: steps/make_targets.py (stage 6), or
steps/make_shar.py for the targets of a stream.
"""

from __future__ import annotations

from understudy.step import command
from understudy.targets.options import CheckOptions


def run(options: CheckOptions) -> None:
    """Print a line for each set; the status is 1 where shards are damaged and were not removed."""
    from understudy.shar.check_targets import check_targets

    check_targets(options)


if __name__ == "__main__":
    command(CheckOptions, run, first="targets")
