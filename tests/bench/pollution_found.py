#!/usr/bin/env python3
"""What selections left out of a set that tests/bench/pollute.py has polluted, by kind: several, side by side.

e.g.: tests/bench/pollution_found.py exp/selected exp/selected-fence-3
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from understudy.step import command

_KINDS = ("noise", "music", "language", "copy", "changed")


@dataclass
class Options:
    """Which selections."""

    selected: list[Path] = field(default_factory=list)
    """folders of steps/select_speech.py"""


def run(options: Options) -> None:
    """Print the table: of each kind, and of the speech that nobody replaced, what was left out, and why."""
    found = [_left_out(folder) for folder in options.selected]
    print("| of | cuts | " + " | ".join(str(folder) for folder in options.selected) + " |")
    print("| --- |" + " --- |" * (1 + len(found)))
    for kind in ("speech", *_KINDS):
        cells = [f"{100 * (1 - one[kind][''] / one[kind].total()):.1f} % ({_told(one[kind])})" for one in found]
        print(f"| {kind} | {found[0][kind].total()} | " + " | ".join(cells) + " |")


def _left_out(folder: Path) -> dict[str, Counter[str]]:
    """By kind how many cuts were left out for what reason; the empty one: they were kept."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    with gzip.open(folder / "measures.tsv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            kind = row["id"].split("-")[0]
            reasons[kind if kind in _KINDS else "speech"][row["left_out"]] += 1
    return reasons


def _told(reasons: Counter[str]) -> str:
    return ", ".join(f"{why} {count}" for why, count in sorted(reasons.items()) if why) or "none"


if __name__ == "__main__":
    command(Options, run, first="selected")
