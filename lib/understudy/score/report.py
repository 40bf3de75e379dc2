"""Tables made from the lines of results.jsonl alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from understudy.score.interval import said, told
from understudy.score.results import latest
from understudy.score.tested import by_set, sentence
from understudy.step import UserError

Line = dict[str, Any]


def number(value: Any, form: str) -> str:
    return "–" if value is None else format(value, form)


def count(value: Any) -> str:
    return "–" if value is None else f"{value / 1e6:.2f} M" if value >= 1e5 else str(value)


def known_as(model: str | None, system: str) -> set[str]:
    """Return the names that a system's teacher may have in results: in a table, the condition is appended."""
    return {model, f"{model}-{system.rpartition('-')[2]}"} if model else set()


def labelled(line: Line) -> str:
    """Return the hours of labelled speech, and those of another corpus on which transferred layers were trained."""
    hours, others = number(line.get("labelled_hours"), ".2f"), line.get("transferred_hours")
    return f"{hours} (after {others:.2f} of another corpus)" if others else hours


_OLDER = "‡"
_WORDLESS = "nothing heard"
"""Column of the number of utterances with reference words but without any recognised ones"""
_COLUMNS: list[tuple[str, Callable[[Line], str]]] = [
    ("system", lambda r: r["system"] + (f" {_OLDER}" if r["older"] else "")),
    ("parameters", lambda r: count(r.get("parameters"))),
    ("labelled h", labelled),
    ("unlabelled h", lambda r: number(r.get("unlabelled_hours"), ".2f")),
    ("updates", lambda r: number(r.get("updates"), "d")),
    ("teacher", lambda r: r.get("teacher") or "–"),
    ("WER % [95 %]", told),
    ("errors/words", lambda r: f"{r['errors']}/{r['words']}"),
    ("S/D/I", lambda r: f"{r['substitutions']}/{r['deletions']}/{r['insertions']}"),
    ("empty (retried)", lambda r: f"{r['empty']} ({r['retried']})"),
    (_WORDLESS, lambda r: number(r.get("wordless"), "d")),
    ("WERR %", lambda r: number(r.get("werr"), ".1f")),
    ("commit", lambda r: r.get("commit", "–")),
    ("machine", lambda r: r.get("machine", "–")),
]


def relative_reduction(baseline: float | None, wer: float | None) -> float | None:
    """Return the WER reduction relative to a baseline (WERR), in %; None if the baseline has no errors or no WER."""
    return 100.0 * (baseline - wer) / baseline if baseline and wer is not None else None


def results_report(lines: list[Line], baseline: str | None = None, made_anew: Sequence[Sequence[str]] = ()) -> str:
    """Return Markdown tables, one for each recipe and test set; WERR is relative to the system `baseline`.

    Args:
        lines: the results.
        baseline: name of the baseline; None: there is no WERR.
        made_anew: for each line, its inputs that have been made anew since it was computed: such rows are marked.

    Raises:
        UserError: there are no results, or no system has the baseline's name.
    """
    older = dict(zip(map(_identity, lines), map(list, made_anew)))
    lines = [{**line, "older": older.get(_identity(line), [])} for line in latest(lines)]
    if not lines:
        raise UserError("no results to report. Decode a system first (stage 11).")
    names = sorted({r["system"] for r in lines})
    if baseline is not None and baseline not in names:
        raise UserError(f"no result of the baseline {baseline}. Known systems: {', '.join(names)}.")
    text = ["# Results", "", "Made from `results.jsonl` by `steps/report.py`; do not edit."]
    if baseline is not None:
        text += ["", f"WERR is the reduction of the WER relative to {baseline}."]
    for of in by_set(lines):
        about = f"{sentence(of.lines)} {said(of.lines)}"
        table = _table(of.lines, baseline)
        text += ["", f"## {of.name}", "", about, "", *table, *_warnings(of.lines), *_older(of.lines)]
    return "\n".join(text) + "\n"


def _table(rows: list[Line], baseline: str | None) -> list[str]:
    columns = [one for one in _COLUMNS if one[0] != _WORDLESS or any(r.get("wordless") for r in rows)]
    base = next((r["wer"] for r in rows if r["system"] == baseline), None)
    table = ["| " + " | ".join(name for name, _ in columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        row = {**row, "werr": None if base is None else relative_reduction(base, row["wer"])}
        table.append("| " + " | ".join(cell(row) for _, cell in columns) + " |")
    return table


def _identity(line: Line) -> tuple[str, ...]:
    return line["recipe"], line["system"], line["test_set"], line["config"]


def _older(rows: list[Line]) -> list[str]:
    """Return a paragraph on rows whose inputs have been made anew since; [] if there are none."""
    causes = list(dict.fromkeys(path for row in rows for path in row["older"]))
    if not causes:
        return []
    since = f"{_OLDER} Of an earlier state: {', '.join(causes)} has been made anew since."
    return ["", f"{since} Run the stages from there on again before these rows are compared with others."]


def _warnings(rows: list[Line]) -> list[str]:
    """Return a paragraph for each system whose training was no better than chance on dev."""
    failed = [r for r in rows if r.get("warnings")]
    told = ((r["system"], "; ".join(r["warnings"])) for r in failed)
    return [text for name, what in told for text in ("", f"{name}: its training failed on dev: {what}.")]
