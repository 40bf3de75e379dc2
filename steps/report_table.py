#!/usr/bin/env python3
"""Make the table of a grid of experiments and its pictures from the lines of a results file.

e.g.: steps/report_table.py --results exp-table/results.jsonl --rows exp-table/rows.tsv --out TABLE.md
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from understudy.score import table
from understudy.score.compare import System, differ
from understudy.score.paired import Difference
from understudy.score.pictures import draw
from understudy.score.results import read_results
from understudy.score.table import Pair, Row, read_rows, report, systems
from understudy.stage import UserError, atomic_path, command


@dataclass
class Options:
    """The table."""

    results: Path
    """lines that decoding wrote"""
    rows: Path
    """lines of `block TAB system TAB baseline TAB oracle`"""
    curves: str = "C"
    """blocks whose names begin so are drawn as learning curves"""
    out: Path = Path("TABLE.md")
    """the table; pictures and results.jsonl go to the folder table/ beside it"""


def run(options: Options) -> None:
    """The lines are those of the rows' systems, baselines and oracles alone."""
    if not options.rows.exists():
        raise UserError(f"{options.rows}: no such file")
    rows = read_rows(options.rows.read_text().splitlines(), str(options.rows))
    named = {name for row in rows for name in (row.system, row.baseline, row.oracle)}
    lines = [line for line in read_results(options.results) if line["system"] in named]
    known = systems(lines)
    lines = [line for system in known.values() for line in system.lines]
    folder = options.out.parent / "table"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [(f"table/{name}", caption) for name, caption in draw(rows, known, options.curves, folder)]
    paired = _paired(rows, known, options.results)
    text = report(rows, lines, pictures, paired)
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    with atomic_path(folder / "results.jsonl") as partial:
        partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with atomic_path(folder / "differences.jsonl") as partial:
        pairs = ({"baseline": pair[0], "system": pair[1], **asdict(of)} for pair, of in paired.items())
        partial.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    print(f"{options.out}: {len(lines)} results of {len(known)} systems")


def _paired(rows: list[Row], known: dict[str, table.System], results: Path) -> dict[Pair, Difference]:
    """Of all rows with a baseline, where both were decoded with errors of utterances beside their lines."""
    decoded = {name: [System(name, results, line) for line in of.lines] for name, of in known.items()}
    pairs = {(row.baseline, row.system): None for row in rows if row.baseline in known and row.system in known}
    return {
        (baseline, name): differ(decoded[baseline], decoded[name])
        for baseline, name in pairs
        if baseline != name and all("scored" in s.line for s in (*decoded[baseline], *decoded[name]))
    }


if __name__ == "__main__":
    command(Options, run)
