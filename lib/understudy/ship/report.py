"""Report of what students cost on a device and recognise there: a table and pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from understudy.score.compare import System, differ
from understudy.score.interval import said, told
from understudy.score.paired import Difference, holm
from understudy.score.pictures import COLOURS, logarithmic
from understudy.score.report import count, known_as
from understudy.score.tested import by_set, sentence
from understudy.step import UserError, atomic_path

Line = dict[str, Any]

_COLUMNS: list[tuple[str, Callable[[Line], str]]] = [
    ("parameters", lambda r: count(r["parameters"])),
    ("MB", lambda r: f"{r['bytes'] / 1e6:.2f}"),
    ("of float32", lambda r: "–" if r["full"] is None else f"{r['bytes'] / r['full']['bytes']:.2f}"),
    ("WER % [95 %]", told),
    ("errors/words", lambda r: f"{r['errors']}/{r['words']}"),
    ("empty (widened)", lambda r: f"{r['empty']} ({r['retried']})"),
    ("against float32, % [95 %]", lambda r: _against(r["change"])),
    ("frames as the model's %", lambda r: f"{100 * r['agree']:.2f}"),
    ("real time", lambda r: f"{r['rtf']:.4f}"),
    ("million multiply-adds/s", lambda r: f"{r['multiply_adds_per_s'] / 1e6:.1f}"),
    ("first word, s of audio", lambda r: "–" if r["first_word_s"] is None else f"{r['first_word_s']:.2f}"),
    ("end, ms (95 %)", lambda r: f"{1000 * r['end_s']:.1f} ({1000 * r['end_s_95']:.1f})"),
    ("memory MB", lambda r: str(r["peak_memory_mb"])),
    ("confidence NCE (uncalibrated)", lambda r: _worth(r)),
]
_INTRODUCTION = """# On a device

Made from `results.jsonl` by `steps/report_device.py`; do not edit.

Each network heard the test set in pieces of 0.1 s as a device would, with features and search, on one core. MB are of
the network alone; memory is the whole process, with its packages and the graph. "Against float32" is the change of the
WER on the same utterances; * marks more than chance (p < 0.01 in a paired test over speakers, corrected by Holm's
method for all such tests on this page; with fewer than eight speakers nothing is marked). A student that learnt on from
another one here, with 8-bit numbers say, is held against that one in float32, so that all that it gained shows. "Real
time" is CPU seconds for a second of speech; "first word" is the median of what was heard until there was a word; "end"
is the time from the last sample to the final words. "Confidence NCE" is the normalised cross entropy of the words'
confidences (1: they tell right words from wrong ones for certain; 0: no better than the share of right ones; below:
they mislead), as they are told, and of the shares before calibration; they take another search, which is in no other
figure."""


def _worth(line: Line) -> str:
    """Format the cross entropy of confidences; older lines have none, and neither have those without wrong words."""
    told, before = line.get("nce"), line.get("nce_uncalibrated")
    return "–" if told is None or before is None else f"{told:.2f} ({before:.2f})"


def _against(change: Difference | None) -> str:
    if change is None:
        return "–"
    return f"{change.wer:+.2f} [{change.low:+.2f}, {change.high:+.2f}]{' *' if change.significant() else ''}"


def device_report(lines: list[Line], home: Path) -> str:
    """Return Markdown with a table for each recipe and test set.

    Args:
        lines: lines of results.jsonl; those without bytes did not go to a device, and are left out.
        home: folder of results.jsonl, from which the errors of utterances are found.

    Raises:
        UserError: no line is of a device.
    """
    shipped = [line for line in lines if "bytes" in line]
    if not shipped:
        raise UserError("no result of a device. Run stage 12 (steps/ship.py) first.")
    text, changes = [_INTRODUCTION], _changes(shipped, home)
    for of in by_set(shipped):
        heads = ["system", *(name for name, _ in _COLUMNS)]
        about = f"{sentence(of.lines)} {said(of.lines)}"
        text += ["", f"## {of.name}", "", about, "", _row(heads), _row(["---"] * len(heads))]
        for row in of.lines:
            known = row | {"full": _full(row, of.lines), "change": changes.get(_key(row))}
            text.append(_row([row["system"], *(tell(known) for _, tell in _COLUMNS)]))
    return "\n".join(text) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _student(line: Line) -> str:
    return line["system"].removesuffix("-" + line["precision"])


def _full(line: Line, rows: list[Line]) -> Line | None:
    """Return the float32 line of the student that this one was trained from, if it is here, or of the same student."""
    full = {_student(r): r for r in rows if r["precision"] == "float32"}
    before = full.keys() & known_as(line.get("init"), _student(line))
    return full.get(before.pop() if before else _student(line))


def _changes(shipped: list[Line], home: Path) -> dict[tuple[str, str, str], Difference]:
    """Return the difference of each line from the float32 line to compare it with, corrected for their number."""
    found = {}
    for line, rows in ((line, of.lines) for of in by_set(shipped) for line in of.lines):
        full = _full(line, rows)
        if full is None or full is line or line["utterances"] < 2 or not line["words"]:
            continue  # with one utterance, or without words, significance is not known
        before, after = (System(r["system"], home / "results.jsonl", r) for r in (full, line))
        found[_key(line)] = differ([before], [after])
    return holm(found)


def _key(line: Line) -> tuple[str, str, str]:
    return line["recipe"], line["test_set"], line["system"]


def draw(lines: list[Line], folder: Path) -> list[tuple[str, str]]:
    """Draw WER against bytes and against real time, as PNG. Returns file names and captions."""
    made = []
    for of in by_set(lines):
        shown = [line for line in of.lines if line["wer"] is not None]
        if not any("bytes" in line for line in shown):
            continue
        name = f"device-{re.sub('[^A-Za-z0-9_-]+', '-', of.name).strip('-')}.png"
        with atomic_path(folder / name) as partial:
            _figure(shown).savefig(partial, dpi=110, metadata={"Software": None})
        made.append((name, f"{of.name}: WER against the network's bytes, and against real time."))
    return made


def _figure(lines: list[Line]) -> Figure:
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    sides = figure.subplots(1, 2, sharey=True)
    shipped = [r for r in lines if "bytes" in r]
    students = list(dict.fromkeys(_student(r) for r in shipped))
    for axes, key, label, unit in zip(sides, ("bytes", "rtf"), ("network, MB", "real-time factor, one core"), (1e6, 1)):
        for student, colour in zip(students, COLOURS * len(students)):
            points = sorted((r for r in shipped if _student(r) == student), key=lambda r: r[key])
            x, y = [r[key] / unit for r in points], [r["wer"] for r in points]
            axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.5)
            for at, r in zip(x, points):
                around = [[r["wer"] - r["wer_low"]], [r["wer_high"] - r["wer"]]]
                marker = _MARKERS.get(r["precision"], "D")
                axes.errorbar(at, r["wer"], around, color=colour, capsize=2, marker=marker, label=r["system"])
        for line, marker in zip(_teachers(lines), "*XP" * len(lines)):
            axes.axhline(line["wer"], color="black", linestyle=":", linewidth=0.8)
            if (at := _teacher_cost(line, key)) is not None:
                around = [[line["wer"] - line["wer_low"]], [line["wer_high"] - line["wer"]]]
                axes.errorbar(at / unit, line["wer"], around, color="black", capsize=2, marker=marker, ms=9,
                              linestyle="", label=f"{line['system']}, off the device")  # fmt: skip
        logarithmic(axes, "{:.2g}".format)
        axes.set_xlabel(label)
        axes.grid(alpha=0.25, which="both")
    sides[0].set_ylabel("WER %")
    sides[0].legend(fontsize=7)
    return figure


def _teachers(lines: list[Line]) -> list[Line]:
    """Return the decoding results of the shipped students' teachers."""
    called = set().union(*(known_as(r.get("teacher"), _student(r)) for r in lines if "bytes" in r))
    return [r for r in lines if "bytes" not in r and r["system"] in called]


def _teacher_cost(line: Line, key: str) -> float | None:
    """Return the bytes of a teacher's weights in float32, or the real-time factor of its decoding, if measured."""
    return 4.0 * line["parameters"] if key == "bytes" else line.get(key)


_MARKERS = {"float32": "s", "int8-dynamic": "o", "int8-static": "^"}
