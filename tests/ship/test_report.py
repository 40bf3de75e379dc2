"""The table of a device: what stands in it, and paired differences from float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from understudy.score.outcome import Outcome, write_outcome
from understudy.ship.report import _figure, _teachers, device_report, draw
from understudy.step import UserError

COSTS = {
    "parameters": 500_000, "multiply_adds_per_s": 16_000_000, "rtf": 0.01, "first_word_s": 0.7, "end_s": 0.001,
    "end_s_95": 0.004, "peak_memory_mb": 86, "agree": 0.99,
}  # fmt: skip


def line(
    home: Path, precision: str, size: int, wrong: float, student: str = "student", utterances: int = 200,
    speakers: int = 10,
) -> dict:  # fmt: skip
    rng = np.random.default_rng(1)
    said = [["A"] * 10 for _ in range(utterances)]
    found = [[w if rng.random() > wrong else "B" for w in words] for words in said]
    outcomes = [Outcome(str(i), f"s{i % speakers}", *pair) for i, pair in enumerate(zip(said, found))]
    scored = f"{student}-{precision}"
    score = write_outcome(home / scored, outcomes, {})
    return COSTS | score | {
        "recipe": "toy", "test_set": "test", "system": scored, "precision": precision, "bytes": size, "scored": scored
    }  # fmt: skip


def test_rows_say_what_bytes_cost(tmp_path: Path) -> None:
    lines = [
        line(tmp_path, "float32", 2_000_000, 0.1),
        line(tmp_path, "int8-static", 540_000, 0.3),
        line(tmp_path, "int8-dynamic", 540_000, 0.1),
        {**line(tmp_path, "float32", 1, 0.2, "teacher"), "system": "teacher"},
    ]
    del lines[-1]["bytes"]
    text = device_report(lines, tmp_path)
    rows = {row.split(" | ")[0]: row for row in text.splitlines() if row.startswith("| student")}
    assert len(rows) == 3 and "teacher" not in text
    full, static, dynamic = rows["| student-float32"], rows["| student-int8-static"], rows["| student-int8-dynamic"]
    assert "| 2.00 | 1.00 |" in full and "| 0.54 | 0.27 |" in static
    assert "] * |" in static and "+" in static  # 30 % wrong instead of 10 is more than chance
    assert "| +0.00 [+0.00, +0.00] |" in dynamic  # the same words
    assert "0.0100" in full and "16.0" in full and "1.0 (4.0)" in full
    (picture,) = draw(lines, tmp_path)
    assert (tmp_path / picture[0]).read_bytes()[:4] == b"\x89PNG"


def test_a_student_that_learnt_on_is_held_against_the_one_before(tmp_path: Path) -> None:
    """In a table systems end in their condition, which folders of models do not."""
    lines = [line(tmp_path, "float32", 2, 0.3, "student-3h-n"), line(tmp_path, "int8", 1, 0.1, "student-3h-rounded-n")]
    lines += [line(tmp_path, "float32", 2, 0.1, "student-3h-rounded-n")]
    text = device_report(lines, tmp_path)
    assert "| +0.00 [+0.00, +0.00] |" in text  # of the rounded one in 8 bits, against itself
    for one in lines[1:]:
        one["init"] = "student-3h"
    rows = [row for row in device_report(lines, tmp_path).splitlines() if row.startswith("| student-3h-rounded-n")]
    assert len(rows) == 2 and all("| -" in row and "] * |" in row for row in rows)


def test_only_the_students_teacher_is_drawn(tmp_path: Path) -> None:
    lines = [line(tmp_path, "float32", 2, 0.3, "student-n") | {"teacher": "teacher"}]
    for name in ("teacher-n", "teacher-mmi-n", "teacher-7n"):
        lines.append({**line(tmp_path, "float32", 2, 0.2, name), "system": name})
        del lines[-1]["bytes"]
    assert [one["system"] for one in _teachers(lines)] == ["teacher-n"]
    sides = _figure(lines).axes
    labels = [text.get_text() for text in sides[0].get_legend().get_texts()]
    assert labels == ["student-n-float32", "teacher-n, off the device"]
    places = [{round(x, 6) for at in side.containers for x in at[0].get_xdata()} for side in sides]
    assert places == [{2e-6, 4 * lines[1]["parameters"] / 1e6}, {lines[0]["rtf"]}]


def test_another_test_set_is_not_compared(tmp_path: Path) -> None:
    lines = [line(tmp_path, "float32", 2, 0.1), line(tmp_path, "int8-static", 1, 0.1, utterances=100)]
    text = device_report(lines, tmp_path)
    assert text.count("## toy, test (older, ") == 2 and "| +" not in text
    assert len(draw(lines, tmp_path)) == 2
    with pytest.raises(UserError, match="they are of two decodings"):
        device_report([lines[0], lines[1] | {"words": 2000, "utterances": 200}], tmp_path)


def test_too_few_speakers_get_no_star(tmp_path: Path) -> None:
    lines = [line(tmp_path, name, 9, wrong, speakers=7) for name, wrong in (("float32", 0.1), ("int8-static", 0.3))]
    text = device_report(lines, tmp_path)
    assert "Intervals are of 95 %, over 7 speakers." in text and "] * |" not in text and "| +" in text


def test_a_set_of_one_utterance_is_compared_with_nothing(tmp_path: Path) -> None:
    lines = [line(tmp_path, name, 9, 0.5, utterances=1) | {"first_word_s": None} for name in ("float32", "int8-static")]
    text = device_report(lines, tmp_path)
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| student")]
    heads = next(row.split(" | ") for row in text.splitlines() if row.startswith("| system"))
    for head in ("against float32, % [95 %]", "first word, s of audio"):
        assert [row[heads.index(head)] for row in rows] == ["–", "–"]
    draw(lines, tmp_path)


def test_nothing_shipped_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Run stage 12"):
        device_report([{"recipe": "toy", "test_set": "test", "system": "teacher"}], tmp_path)


def test_a_set_without_words_has_a_table_and_no_picture(tmp_path: Path) -> None:
    outcomes = [Outcome(f"u{i}", f"s{i}", [], ["B"]) for i in range(9)]
    made = write_outcome(tmp_path / "none", outcomes, {})
    about = {"recipe": "toy", "test_set": "noises", "system": "s-float32", "precision": "float32", "bytes": 9}
    lines = [COSTS | made | about | {"scored": "none"}]
    assert "| s-float32 |" in device_report(lines, tmp_path) and draw(lines, tmp_path) == []
