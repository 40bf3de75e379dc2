#!/usr/bin/env python3
"""Make DEVICE.md and its pictures from the lines of a results file that stage 12 wrote.

e.g.: steps/report_device.py --results exp/results.jsonl --out DEVICE.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.score.results import latest, read_results
from understudy.ship.report import draw, report
from understudy.stage import atomic_path, command


@dataclass
class Options:
    """The report of a device."""

    results: Path = Path("exp/results.jsonl")
    """lines that steps/ship.py and steps/decode.py wrote"""
    out: Path = Path("DEVICE.md")
    """the report; its pictures go beside it"""


def run(options: Options) -> None:
    """Pictures first: the page names them."""
    lines = latest(read_results(options.results))
    text = report(lines, options.results.parent)
    for name, caption in draw(lines, options.out.parent):
        text += f"\n![{caption}]({name})\n"
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    print(text)


if __name__ == "__main__":
    command(Options, run)
