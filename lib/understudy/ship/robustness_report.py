"""Report on the robustness of students: tables and a picture from the lines that steps/robustness.py wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from understudy.score.interval import said, told
from understudy.score.pictures import COLOURS
from understudy.score.tested import sentence
from understudy.step import atomic_path

Line = dict[str, Any]

INTRODUCTION = """The student heard utterances of the test set again, as many of one speaker as of another, through its
own run-time, as 16-bit samples in several conditions. Gains are applied to the samples, which are rounded and clipped.
Noise has the power that the ratio tells, both measured over the whole utterance; babble is six other speakers. The
room is one of twenty that no training had, at the level that the speech had. The telephone band is 300 to 3400 Hz in 8
bits of µ-law at 8 kHz. A tilt of 6 dB rises by 6 dB from 300 to 3000 Hz, a straight line over the logarithm of the
frequency, 0 dB at 1 kHz; the difference of samples is x_t − x_{t−1}/2. "Of as recorded" is how many times as many
errors it makes as on the same utterances as they were recorded. "Clipped" are utterances that have samples at the limit
of 16 bits."""
SOUNDS = """Sounds in which nobody says a word were heard as a stream is, whose utterances end at pauses, by
understudy-listen as it ships; babble is eight speakers played backwards."""
_RECORDED = "as recorded"
_SPEECH = ("condition", "WER % [95 %]", "errors/words", "S/D/I", "of as recorded [95 %]", "clipped")
_NOTHING = ("sound", "words a minute", "words", "minutes")


def by_student(lines: list[Line]) -> dict[tuple[str, str, str], list[Line]]:
    """Return the lines of each recipe, test set and system: those with the options that were run last alone."""
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line["recipe"], line["test_set"], line["system"]), []).append(line)
    last = {key: max(reversed(of), key=lambda line: line.get("time", ""))["config"] for key, of in found.items()}
    return {key: [line for line in of if line["config"] == last[key]] for key, of in found.items()}


def speech_rows(lines: list[Line]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return heads and cells of a table of one student's conditions."""
    return _SPEECH, [_speech(line) for line in lines if "wer" in line or "left_out" in line]


def nothing_rows(lines: list[Line]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return heads and cells of a table of one student's sounds without words."""
    return _NOTHING, [
        [_name(r), f"{r['false_words_a_minute']:.1f}", str(r["false_words"]), f"{r['seconds'] / 60:.1f}"]
        for r in lines
        if "false_words" in r
    ]


def interval_note(lines: list[Line]) -> str:
    """Return sentences on one student's test set and its intervals; empty where it has no results on speech."""
    speech = [line for line in lines if "wer" in line]
    return f"{sentence(speech)} {said(speech)}" if speech else ""


def _speech(r: Line) -> list[str]:
    if "left_out" in r:
        return [f"{_name(r)}: left out, since {r['left_out']}", *["–"] * (len(_SPEECH) - 1)]
    times = f"{r['ratio']:.2f} [{r['ratio_low']:.2f}, {r['ratio_high']:.2f}]" if "ratio" in r else "–"
    return [
        _name(r), told(r), f"{r['errors']}/{r['words']}",
        f"{r['substitutions']}/{r['deletions']}/{r['insertions']}",
        "1" if r["condition"] == _RECORDED else times, _clipped(r),
    ]  # fmt: skip


def _clipped(r: Line) -> str:
    told = f"{r['clipped_utterances']} of {r['utterances']}"
    return f"{told} ({r['clipped_samples']} samples)" if r["clipped_samples"] else told


def _name(line: Line) -> str:
    return line["condition"].replace(" -", " −")


def robustness_section(lines: list[Line]) -> str:
    """Return a Markdown section with two tables for each student; empty where there are no lines."""
    text = ["## What it stands", "", INTRODUCTION, "", SOUNDS] if lines else []
    for (recipe, test_set, system), of in by_student(lines).items():
        text += ["", f"### {recipe}, {test_set}: {system}"]
        if intervals := interval_note(of):
            text += ["", intervals]
        for heads, rows in (speech_rows(of), nothing_rows(of)):
            text += ["", *_table(heads, rows)] if rows else []
    return "".join(f"{line}\n" for line in text)


def _table(heads: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (list(heads), ["---"] * len(heads), *rows)]


def draw(lines: list[Line], folder: Path) -> list[tuple[str, str]]:
    """Draw a picture for each student, as PNG. Returns file names and captions."""
    made = []
    for (recipe, test_set, system), of in by_student(lines).items():
        name = f"robustness-{recipe}-{test_set}-{system}.png"
        with atomic_path(folder / name) as partial:
            figure(of).savefig(partial, dpi=110, metadata={"Software": None})
        made.append((name, f"{recipe}, {test_set}: {caption(system)}"))
    return made


def caption(system: str) -> str:
    """Return the caption of a system's picture."""
    return f"WER of {system} by condition with 95 % intervals, and the words that it hears where nobody speaks."


def figure(lines: list[Line]) -> Figure:
    """Draw WER by condition, with a line at that as recorded, and beside it false words a minute in sounds."""
    speech, nothing = [r for r in lines if r.get("wer") is not None], [r for r in lines if "false_words" in r]
    drawn = Figure(figsize=(11, 1.2 + 0.24 * max(len(speech), len(nothing))), layout="constrained")
    left, right = drawn.subplots(1, 2, width_ratios=(1.3, 1))
    _wers(left, speech)
    _false_words(right, nothing)
    return drawn


def _wers(axes: Axes, lines: list[Line]) -> None:
    colours = dict(zip(dict.fromkeys(r["group"] for r in lines), ["black", *COLOURS]))
    for at, r in enumerate(lines):
        around = [[r["wer"] - r["wer_low"]], [r["wer_high"] - r["wer"]]]
        axes.errorbar(r["wer"], at, xerr=around, fmt="o", color=colours[r["group"]], capsize=2, markersize=5)
        if at and r["group"] != lines[at - 1]["group"]:
            axes.axhline(at - 0.5, color="grey", linewidth=0.5, alpha=0.5)
        if r["condition"] == _RECORDED:
            axes.axvline(r["wer"], linestyle="--", linewidth=1, color="grey")
    axes.set_title("speech", fontsize=10, loc="left")
    axes.set_xlabel("WER %")
    _labelled(axes, lines)


def _false_words(axes: Axes, lines: list[Line]) -> None:
    values = [r["false_words_a_minute"] for r in lines]
    bars = axes.barh(range(len(lines)), values, color=COLOURS[1], height=0.6)
    axes.bar_label(bars, [f"{value:.1f}" for value in values], padding=3, fontsize=8)
    axes.set_xlim(0, 1.2 * max([1.0, *values]))
    axes.set_title("nobody speaks", fontsize=10, loc="left")
    axes.set_xlabel("words a minute")
    _labelled(axes, lines)


def _labelled(axes: Axes, lines: list[Line]) -> None:
    """Label the rows with the lines' names, from top to bottom."""
    axes.set_yticks(range(len(lines)), [_name(r) for r in lines], fontsize=8)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
