"""Tables made from the lines of results.jsonl alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from understudy.score.results import latest
from understudy.stage import UserError

Line = dict[str, Any]


def number(value: Any, form: str) -> str:
    return "–" if value is None else format(value, form)


def count(value: Any) -> str:
    return "–" if value is None else f"{value / 1e6:.2f} M" if value >= 1e5 else str(value)


def known_as(model: str | None, system: str) -> set[str]:
    """What a model that a system learnt from is called in results: a table's systems have their condition behind."""
    return {model, f"{model}-{system.rpartition('-')[2]}"} if model else set()


def labelled(line: Line) -> str:
    """Hours of labelled speech, and of another corpus's that a system's layers were taken from."""
    hours, others = number(line.get("labelled_hours"), ".2f"), line.get("transferred_hours")
    return f"{hours} (after {others:.2f} of another corpus)" if others else hours


_COLUMNS: list[tuple[str, Callable[[Line], str]]] = [
    ("system", lambda r: r["system"]),
    ("parameters", lambda r: count(r.get("parameters"))),
    ("labelled h", labelled),
    ("unlabelled h", lambda r: number(r.get("unlabelled_hours"), ".2f")),
    ("updates", lambda r: number(r.get("updates"), "d")),
    ("teacher", lambda r: r.get("teacher") or "–"),
    ("WER % [95 %]", lambda r: f"{r['wer']:.2f} [{r['wer_low']:.2f}, {r['wer_high']:.2f}]"),
    ("errors/words", lambda r: f"{r['errors']}/{r['words']}"),
    ("S/D/I", lambda r: f"{r['substitutions']}/{r['deletions']}/{r['insertions']}"),
    ("empty (retried)", lambda r: f"{r['empty']} ({r['retried']})"),
    ("WERR %", lambda r: number(r.get("werr"), ".1f")),
    ("commit", lambda r: r.get("commit", "–")),
    ("machine", lambda r: r.get("machine", "–")),
]


def relative_reduction(baseline: float, wer: float) -> float | None:
    """WER reduction relative to a baseline, in %; None when the baseline makes no errors."""
    return 100.0 * (baseline - wer) / baseline if baseline else None


def report(lines: list[Line], baseline: str | None = None) -> str:
    """Markdown tables, one per recipe and test set; WERR is relative to the system `baseline`.

    Raises:
        UserError: there are no results, or no system of the baseline's name.
    """
    lines = latest(lines)
    if not lines:
        raise UserError("no results to report. Decode a system first (stage 11).")
    names = sorted({r["system"] for r in lines})
    if baseline is not None and baseline not in names:
        raise UserError(f"no result of the baseline {baseline}. Known systems: {', '.join(names)}.")
    text = ["# Results", "", "Made from `results.jsonl` by `steps/report.py`; do not edit."]
    if baseline is not None:
        text += ["", f"WERR is the reduction of the WER relative to {baseline}."]
    for recipe, test_set in dict.fromkeys((r["recipe"], r["test_set"]) for r in lines):
        rows = [r for r in lines if (r["recipe"], r["test_set"]) == (recipe, test_set)]
        text += ["", f"## {recipe}, {test_set}", "", *_table(rows, baseline)]
    return "\n".join(text) + "\n"


def _table(rows: list[Line], baseline: str | None) -> list[str]:
    base = next((r["wer"] for r in rows if r["system"] == baseline), None)
    table = ["| " + " | ".join(name for name, _ in _COLUMNS) + " |", "|" + " --- |" * len(_COLUMNS)]
    for row in rows:
        row = {**row, "werr": None if base is None else relative_reduction(base, row["wer"])}
        table.append("| " + " | ".join(cell(row) for _, cell in _COLUMNS) + " |")
    return table
