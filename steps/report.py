#!/usr/bin/env python3
"""Make RESULTS.md from the lines of a results file, and copy the lines and errors of each utterance beside it.

e.g.: steps/report.py --results exp/results.jsonl --baseline student-labelled --out RESULTS.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.step import atomic_path, command
from understudy.step.fingerprint import made_anew
from understudy.step.status import status_of


@dataclass
class Options:
    """Stage 13: the report."""

    results: Path = Path("exp/results.jsonl")
    """lines that decoding wrote"""
    baseline: str | None = None
    """system to which the WER reductions are relative"""
    out: Path = Path("RESULTS.md")
    """the report; results.jsonl and utterances.tsv.gz go beside it"""


def run(options: Options) -> None:
    """Write the report and the files beside it, each whole or not at all."""
    from understudy.score.compare import pack_scored
    from understudy.score.report import results_report
    from understudy.score.results import as_lines, latest, read_conditions, read_results

    lines = latest(read_results(options.results))
    text = results_report(lines, options.baseline, [_made_anew(line, options.results.parent) for line in lines])
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    pack_scored(lines, options.results, options.out.parent)
    with atomic_path(options.out.parent / "results.jsonl") as partial:
        kept = [*lines, *latest(read_conditions(options.results))]
        partial.write_text(as_lines(kept))
    print(f"{options.out}: {len(lines)} results")


def _made_anew(line: dict[str, Any], folder: Path) -> list[str]:
    """Return the inputs of a result that have been made anew since; none if that cannot be known from here."""
    if "scored" not in line:
        return []
    decoded = (folder / line["scored"]).parent
    mark = status_of(decoded)
    if mark and mark.done and mark.values["digest"] != line["config"]:
        return [str(decoded)]
    return made_anew(decoded)


if __name__ == "__main__":
    command(Options, run)
