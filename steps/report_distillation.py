#!/usr/bin/env python3
"""Check predictions against a simulation's cells: write RESULTS.md, its lines (results.jsonl) and pictures.

e.g.: steps/report_distillation.py --cells exp/simulation/cells.jsonl --out RESULTS.md
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from understudy.step import atomic_path, command, to_json


@dataclass
class Options:
    """Block D: the report."""

    cells: Path = Path("exp/simulation/cells.jsonl")
    """lines that steps/simulate_distillation.py wrote"""
    out: Path = Path("RESULTS.md")
    """the report; results.jsonl, a line for each claim, and the folder pictures go beside it"""


def run(options: Options) -> None:
    """Write the report and the files beside it, each whole or not at all."""
    from understudy.theory.pictures import draw
    from understudy.theory.predictions import all_claims
    from understudy.theory.report import read_jobs, theory_report

    cells = read_jobs(options.cells)
    claims = all_claims(cells)
    pictures = [(f"pictures/{name}", caption) for name, caption in draw(cells, options.out.parent / "pictures")]
    with atomic_path(options.out.parent / "results.jsonl") as partial:
        partial.write_text("".join(to_json({**asdict(c), "verdict": c.verdict}, c.prediction) + "\n" for c in claims))
    with atomic_path(options.out) as partial:
        partial.write_text(theory_report(cells, claims, pictures))
    print(f"{options.out}: {len(claims)} claims, {len(pictures)} pictures")


if __name__ == "__main__":
    command(Options, run)
