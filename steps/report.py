#!/usr/bin/env python3
"""Make RESULTS.md from the lines of a results file, and copy the lines beside it.

e.g.: steps/report.py --results exp/results.jsonl --baseline student-labelled --out RESULTS.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from understudy.score.report import report
from understudy.score.results import latest, read_results
from understudy.stage import atomic_path, command


@dataclass
class Options:
    """Stage 13: the report."""

    results: Path = Path("exp/results.jsonl")
    """lines that decoding wrote"""
    baseline: str | None = None
    """system to which the WER reductions are relative"""
    out: Path = Path("RESULTS.md")
    """the report; results.jsonl goes beside it"""


def run(options: Options) -> None:
    """Both files are written whole or not at all."""
    lines = latest(read_results(options.results))
    text = report(lines, options.baseline)
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    with atomic_path(options.out.parent / "results.jsonl") as partial:
        partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{options.out}: {len(lines)} results")


if __name__ == "__main__":
    command(Options, run)
