"""The step that works through a table: its jobs are run in their order, and the table is made of what is done.

The steps that it calls are short scripts here, which note that they were called; tests/egs/test_table.py has the real
ones.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLED = """#!/bin/sh
echo "${0##*/} $*" >> called
case "${0##*/} $*" in
  *"$(cat fails)"*) exit 1 ;;
  decode.py*)
    echo '{"system": "any", "recipe": "assistant", "test_set": "test", "config": {}}' >> exp-table/results.jsonl ;;
esac
"""
REPORT = """import sys
with open("called", "a") as file:
    print("report_table.py", *sys.argv[1:], file=file)
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A folder with the description of the assistant's table."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "local").mkdir()
    shutil.copytree(ROOT / "egs/assistant/s1/conf", tmp_path / "conf")
    for script in (
        tmp_path / "local/prepare.py",
        *(tmp_path / "steps" / path.name for path in (ROOT / "steps").iterdir()),
    ):
        script.write_text(CALLED)
        script.chmod(0o755)
    (tmp_path / "steps/report_table.py").write_text(REPORT)
    (tmp_path / "fails").write_text("nothing")
    return tmp_path


def run(recipe: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The step, and what it has called."""
    command = [sys.executable, ROOT / "steps/run_table.py", "--config", "conf/table.yaml", "--jobs", "4", *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True, check=False)
    called = recipe / "called"
    return done, called.read_text().splitlines() if called.exists() else []


def test_a_list_runs_nothing(recipe: Path):
    done, called = run(recipe, "--list", "true", "--blocks", "A")
    assert done.returncode == 0 and not called
    assert done.stdout.splitlines()[0] == "corpus\t" and "n/student/decode\tn/student n/graph" in done.stdout


def test_what_is_done_is_shown_even_where_some_of_it_fails(recipe: Path):
    (recipe / "fails").write_text("exp-table/n/true-labels")
    done, called = run(recipe, "--blocks", "A", "--seeds", "1")
    assert (
        done.returncode == 1 and "error: 1 jobs failed (n/true-labels), 2 need them and were not begun (" in done.stderr
    )
    assert called[0].startswith("prepare.py --out data-table/corpus --labelled-hours 1.75") and "--jobs 4" in called[0]
    assert called[-1] == "report_table.py --results exp-table/results.jsonl --rows exp-table/rows.tsv --out TABLE.md"
    assert not any("student-oracle" in line for line in called)
    _, called = run(recipe, "--blocks", "A", "--seeds", "1", "--tests", "[far, test]")
    assert called[-1].endswith("--rows exp-table/rows.tsv --out TABLE.md --test-set far")
    (recipe / "fails").write_text("nothing")
    done, called = run(recipe, "--blocks", "A", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    assert "jobs are done" in done.stderr and any("student-oracle" in line for line in called)
