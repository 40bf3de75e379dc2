"""The comparison of systems as a command: tables, tests, configurations; bad names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from understudy.score import utterances
from understudy.score.results import append_result
from understudy.score.utterances import Scored

ROOT = Path(__file__).parents[2]


def add(folder: Path, system: str, rate: float, seed: int, test_set: str = "test", count: int = 300) -> None:
    """A system with this error rate, decoded into <folder>/<system>/decode/<test_set>."""
    rng = np.random.default_rng(seed)
    scored = [Scored(f"u{i}", f"s{i % 20}", 7, int(rng.binomial(7, rate)), 0, 0, 30, 3) for i in range(count)]
    out = folder / system / "decode" / test_set
    out.mkdir(parents=True)
    utterances.write(out / "utterances.tsv", scored)
    wrong = sum(s.errors for s in scored)
    for where, epochs in ((out.parents[1], 10 * seed), (out.parent, 0)):
        record = {"option epochs": str(epochs), "option system": system, "input x": "0"}
        (where / ".done.json").write_text(json.dumps({"digest": "d", "record": record}))
    wer = 100 * wrong / (7 * count)
    append_result(folder / "results.jsonl", {
        "recipe": "r", "system": system, "test_set": test_set, "config": system, "words": 7 * count, "errors": wrong,
        "substitutions": wrong, "deletions": 0, "insertions": 0, "wer": wer, "wer_low": wer - 1, "wer_high": wer + 1,
        "ser": 50.0, "cer": 10.0, "parameters": 480_000, "cpu_s": 12.0, "scored": f"{system}/decode/{test_set}",
        "unlabelled_hours": 3.0 * seed,
    })  # fmt: skip


def compare(*arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "utils/compare.py", *arguments]
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    """exp/ with three systems on two test sets, before/ with one on one."""
    for test_set in ("test", "other"):
        add(tmp_path / "exp", "small", 0.2, 1, test_set)
        add(tmp_path / "exp", "twin", 0.2, 2, test_set)
        add(tmp_path / "exp", "distilled", 0.1, 3, test_set)
    add(tmp_path / "before", "small", 0.3, 4)
    return tmp_path


def test_systems_are_compared_on_every_test_set_that_they_share(checkouts):
    done = compare("small", "twin", "distilled", cwd=checkouts)
    assert done.returncode == 0, done.stderr
    assert "\ntest, 2100 words\n" in done.stdout and "\nother, 2100 words\n" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| twin") or line.startswith("| distilled")]
    assert sum("no difference shown" in row for row in rows) == 2
    assert sum("distilled is better (300 utterances)" in row for row in rows) == 2
    assert "| training: epochs" in done.stdout and "| unlabelled_hours" in done.stdout
    assert "decoding: epochs" not in done.stdout  # the same in all


def test_of_two_checkouts_and_by_speaker(checkouts):
    done = compare("before/results.jsonl:small", "small@test", "--by_speaker", "true", cwd=checkouts)
    assert done.returncode == 0, done.stderr
    assert "small@test is better (20 speakers)" in done.stdout and "\nother" not in done.stdout


def test_bad_names_and_other_utterances_are_said(checkouts):
    assert "at least two systems" in compare("small", cwd=checkouts).stderr
    wrong = compare("small", "smal", cwd=checkouts)
    assert wrong.returncode == 1 and "smal: not in exp/results.jsonl, which has distilled@other" in wrong.stderr
    add(checkouts / "fewer", "small", 0.2, 5, count=299)
    done = compare("small", "fewer/results.jsonl:small", cwd=checkouts)
    assert done.returncode == 1 and "such as u299" in done.stderr
    (checkouts / "exp/twin/decode/test/utterances.tsv").unlink()
    assert "utterances.tsv: no such errors" in compare("small", "twin", cwd=checkouts).stderr
