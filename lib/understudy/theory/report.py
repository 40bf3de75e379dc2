"""RESULTS.md of the simulation: for each prediction, its claims, measurements and verdicts."""

from __future__ import annotations

import json
from pathlib import Path

from understudy.step import UserError
from understudy.theory.predictions import Claim
from understudy.theory.simulate import Cell


def read_jobs(path: Path) -> list[Cell]:
    """Read the cells of a file.

    Raises:
        UserError: there is no such file, or a line is no cell; the message names the line.
    """
    if not path.exists():
        raise UserError(f"{path}: no such file. Run the simulation first (stage 0).")
    cells = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            cells.append(Cell.of(json.loads(line)))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise UserError(f"{path}:{number}: not a cell ({error}). Remove its folder and simulate again.") from None
    return cells


def theory_report(cells: list[Cell], claims: list[Claim], pictures: list[tuple[str, str]]) -> str:
    """Return the report as Markdown: a table of claims for each prediction, then the pictures (paths and captions)."""
    seeds = {len(cell.seeds["gain"]) for cell in cells}
    text = [
        "# Results", "", "Made from the simulation's cells by `steps/report_distillation.py`; do not edit.", "",
        f"{len({cell.key for cell in cells})} cells of {', '.join(map(str, sorted(seeds)))} seeds. A claim holds in a "
        "cell if the 95 % interval over seeds lies on its side, is undecided if the interval reaches both, and what "
        "must hold exactly is tried in every seed. Figures are over all cells of a claim, with [95 % intervals] over "
        "seeds, then the range of single cells. T, S, f*: teacher, student, truth; F: the student's class.",
    ]  # fmt: skip
    for name in dict.fromkeys(claim.prediction for claim in claims):
        text += ["", f"## {name}", "", "| claim | measured | verdict |", "| --- | --- | --- |"]
        text += [f"| {c.statement} | {c.measured} | **{c.verdict}** |" for c in claims if c.prediction == name]
    text += ["", "## Pictures"]
    for path, caption in pictures:
        text += ["", f"![{caption}]({path})", "", caption]
    return "\n".join(text) + "\n"
