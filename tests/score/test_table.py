"""The table of a grid: means over seeds, gains, recovery, what has no result yet, pictures of the lines alone."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import pytest

from understudy.score import table
from understudy.score.paired import Difference
from understudy.step import UserError

REPORT = Path(__file__).parents[2] / "steps/report_table.py"
ROWS = ["A: one\tteacher\tsmall\t", "A: one\tsmall\t\t", "A: one\tsmall-3h\tsmall\toracle", "A: one\toracle\tsmall\t"]
CURVES = [f"C: curves\t{name}\tteacher\t" for name in ("small", "small-3h", "large-3h", "large-6h")]


def line(system: str, wer: float, seed: int = 1, **more) -> dict:
    return {
        "recipe": "toy", "system": system, "test_set": "test", "config": f"{system}{seed}", "seed": seed, "wer": wer,
        "wer_low": wer - 1, "wer_high": wer + 1, "errors": round(10 * wer), "words": 1000, "empty": 0,
        "parameters": 2_000_000 if system.startswith("large") else 500_000, "labelled_hours": 0.25,
        "unlabelled_hours": 0.0, "updates": 100, "commit": "abc", "machine": "here", **more,
    }  # fmt: skip


LINES = [
    line("teacher", 18.0),
    line("small", 21.0, 2),
    line("small", 30.0),
    line("small", 20.0),  # the same seed again: this is the one that counts
    line("small-3h", 17.0, unlabelled_hours=3.0, teacher="teacher", supervision="soft, k = 20"),
    line("small-3h", 17.5, 2, unlabelled_hours=3.0, teacher="teacher", supervision="soft, k = 20"),
    line("oracle", 15.5, unlabelled_hours=3.0),
]


PAIRED = {("small", name): Difference(-3.0, -4.0, -2.0, 0.001, 20, "speaker", 20) for name in ("teacher", "small-3h")}


def cells(text: str, system: str) -> list[str]:
    return next(row for row in text.splitlines() if row.startswith(f"| {system} |")).strip("| ").split(" | ")


def test_means_over_seeds_gains_and_recovery():
    text = table.table_report(table.read_rows(ROWS, "rows"), LINES, [], PAIRED)
    small, distilled = cells(text, "small"), cells(text, "small-3h")
    assert "20.50 [19.50, 21.50]" in small and "20.00 21.00" in small and "200/1000 210/1000" in small
    assert "17.25 [16.25, 18.25]" in distilled and "17.00 17.50" in distilled
    assert distilled[-2:] == [f"{100 * 3.25 / 20.5:.1f} *", f"{100 * 3.25 / 5:.0f}"]
    assert cells(text, "teacher")[-2:] == [f"{100 * 2.5 / 20.5:.1f} *", "–"]
    assert cells(text, "oracle")[-1] == "–" and small[-2:] == ["–", "–"]
    assert "p < 0.01 in a paired test over 20 speakers, corrected by Holm's method for the table's 2 tests" in text


def test_a_change_that_may_be_chance_has_no_star():
    lines = [line("small", 20.0), line("teacher", 18.1)]
    rows, chance = (
        table.read_rows(ROWS, "rows"),
        {("small", "teacher"): Difference(-1.9, -4.0, 0.1, 0.06, 20, "speaker", 20)},
    )
    assert cells(table.table_report(rows, lines, [], {}), "teacher")[-1] == "9.5"
    assert cells(table.table_report(rows, lines, [], chance), "teacher")[-2:] == ["-1.90 [-4.00, +0.10]", "9.5"]
    corrected = {pair: replace(of, p=0.004, corrected=0.012) for pair, of in chance.items()}
    assert cells(table.table_report(rows, lines, [], corrected), "teacher")[-1] == "9.5"
    untested = {pair: replace(of, p=None, groups=4, speakers=4) for pair, of in chance.items()}
    text = table.table_report(rows, lines, [], untested)
    assert "4 speakers are too few to tell" in text and "p <" not in text


def test_what_has_no_result_is_named():
    text = table.table_report(table.read_rows([*ROWS, *CURVES], "rows"), LINES[:4], [], {})
    assert "Without result yet: small-3h, oracle, large-3h, large-6h." in text
    with pytest.raises(UserError, match="no system of the table"):
        table.table_report(table.read_rows(ROWS[2:3], "rows"), LINES[:1], [], {})


def test_results_of_two_recipes_or_a_broken_row_are_refused():
    with pytest.raises(UserError, match="several recipes"):
        table.systems([line("a", 1.0), line("a", 1.0) | {"recipe": "other"}])
    with pytest.raises(UserError, match="rows:2"):
        table.read_rows([ROWS[0], "A: one\tsmall"], "rows")


def test_the_command_writes_table_lines_and_pictures(tmp_path):
    more = [line("large-3h", 16.0, unlabelled_hours=3.0), line("large-6h", 15.0, unlabelled_hours=6.0)]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(x) + "\n" for x in [*LINES, *more, line("else", 1.0)]))
    (tmp_path / "rows.tsv").write_text("\n".join([*ROWS, *CURVES]) + "\n")
    command = [sys.executable, REPORT, "--results", tmp_path / "results.jsonl", "--rows", tmp_path / "rows.tsv"]
    subprocess.run(list(map(str, [*command, "--out", tmp_path / "TABLE.md"])), check=True, capture_output=True)
    text = (tmp_path / "TABLE.md").read_text()
    for name in ("wer", "curves"):
        assert f"(table/{name}.png)" in text
        picture = matplotlib.image.imread(tmp_path / f"table/{name}.png")
        assert picture.shape[0] > 200 and picture[..., :3].std() > 0.05
    kept = [json.loads(x) for x in (tmp_path / "table/results.jsonl").read_text().splitlines()]
    assert "else" not in {x["system"] for x in kept} and len(kept) == 8
    elsewhere = [one | {"test_set": "elsewhere", "wer": 50.0} for one in LINES]
    with (tmp_path / "results.jsonl").open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in elsewhere)
    of_both = list(map(str, [*command, "--out", tmp_path / "both.md"]))
    told = subprocess.run(of_both, capture_output=True, text=True, check=False)
    assert told.returncode == 1 and "several recipes or test sets" in told.stderr
    subprocess.run([*of_both, "--test-set", "test"], check=True, capture_output=True)
    assert (tmp_path / "both.md").read_text() == text
    (tmp_path / "results.jsonl").write_text((tmp_path / "table/results.jsonl").read_text())
    subprocess.run(list(map(str, [*command, "--out", tmp_path / "again.md"])), check=True, capture_output=True)
    assert (tmp_path / "again.md").read_text() == text
