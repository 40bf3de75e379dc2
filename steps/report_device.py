#!/usr/bin/env python3
"""Make DEVICE.md and its pictures from the lines of a results file that stage 12 wrote: costs, and robustness.

e.g.: steps/report_device.py --results exp/results.jsonl --out DEVICE.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.step import atomic_path, command


@dataclass
class Options:
    """The report of a device."""

    results: Path = Path("exp/results.jsonl")
    """lines that steps/ship.py, steps/robustness.py and steps/decode.py wrote"""
    out: Path = Path("DEVICE.md")
    """the report; its pictures go beside it"""


def run(options: Options) -> None:
    """Draw the pictures, which the page names, then write the page."""
    from understudy.score.results import latest, read_conditions, read_results
    from understudy.ship import robustness_report
    from understudy.ship.report import device_report, draw

    lines = latest(read_results(options.results))
    text = device_report(lines, options.results.parent)
    for name, caption in draw(lines, options.out.parent):
        text += f"\n![{caption}]({name})\n"
    if conditions := latest(read_conditions(options.results)):
        text += f"\n{robustness_report.robustness_section(conditions)}"
        for name, caption in robustness_report.draw(conditions, options.out.parent):
            text += f"\n![{caption}]({name})\n"
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    print(text)


if __name__ == "__main__":
    command(Options, run)
