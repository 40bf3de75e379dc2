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
    """What a model that a system learnt from is called in results: a table's systems have their condition behind."""
    return {model, f"{model}-{system.rpartition('-')[2]}"} if model else set()


def labelled(line: Line) -> str:
    """Hours of labelled speech, and of another corpus's that a system's layers were taken from."""
    hours, others = number(line.get("labelled_hours"), ".2f"), line.get("transferred_hours")
    return f"{hours} (after {others:.2f} of another corpus)" if others else hours


_OLDER = "‡"
_WORDLESS = "nothing heard"
"""Utterances with words of which none was told, whether the search found an end or not"""
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
    """WER reduction relative to a baseline, in %; None when the baseline makes no errors, or there is no WER."""
    return 100.0 * (baseline - wer) / baseline if baseline and wer is not None else None


def results_report(lines: list[Line], baseline: str | None = None, made_anew: Sequence[Sequence[str]] = ()) -> str:
    """Markdown tables, one per recipe and test set; WERR is relative to the system `baseline`.

    Args:
        made_anew: for each line, what it was made of that has been made anew since: such rows are marked.

    Raises:
        UserError: there are no results, or no system of the baseline's name.
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
    """A paragraph on the rows that are older than what stands beside them."""
    causes = list(dict.fromkeys(path for row in rows for path in row["older"]))
    if not causes:
        return []
    since = f"{_OLDER} Of an earlier state: {', '.join(causes)} has been made anew since."
    return ["", f"{since} Run the stages from there on again before these rows are compared with others."]


def _warnings(rows: list[Line]) -> list[str]:
    """A paragraph for each system whose training was no better than chance on dev."""
    failed = [r for r in rows if r.get("warnings")]
    told = ((r["system"], "; ".join(r["warnings"])) for r in failed)
    return [text for name, what in told for text in ("", f"{name}: its training failed on dev: {what}.")]
