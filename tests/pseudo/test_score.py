"""steps/score_transcripts.py: what others wrote, scored; counts are by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lhotse import SupervisionSegment
from tests.encoders.moments import cut_of, noise

from understudy.corpus import write_cuts
from understudy.score.results import read_results

ROOT = Path(__file__).parents[2]
SAID = {"u0": "MISTER QUILTER IS HERE", "u1": "NINETEEN OH FIVE", "u2": "DON'T GO"}


@pytest.fixture
def test_set(tmp_path: Path) -> Path:
    """Three utterances of two speakers."""
    cuts = [cut_of(tmp_path, name, noise(8000, n)) for n, name in enumerate(SAID)]
    for n, cut in enumerate(cuts):
        said = SupervisionSegment(cut.id, cut.id, 0.0, cut.duration, speaker=f"s{n // 2}", text=SAID[cut.id])
        cut.supervisions = [said]
    write_cuts(tmp_path / "test.jsonl.gz", cuts)
    return tmp_path / "test.jsonl.gz"


def score(test_set: Path, text: str, *more: object) -> subprocess.CompletedProcess[str]:
    folder = test_set.parent
    (folder / "text").write_text(text, encoding="utf-8")
    given = ["--cuts", test_set, "--transcripts", folder / "text", "--system", "other", "--results",
             folder / "results.jsonl", "--out", folder / "score", *more]  # fmt: skip
    command = [sys.executable, ROOT / "steps/score_transcripts.py", *given]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_texts_are_scored_as_they_are_spoken(test_set: Path) -> None:
    done = score(
        test_set, "u0 Mr. Quilter’s here!\nu1 1905.\nu2 don't — go\n", "--parameters", 7, "--cpu-s-per-hour", 36
    )
    assert done.returncode == 0, done.stderr
    (line,) = read_results(test_set.parent / "results.jsonl")
    # QUILTER IS against QUILTER'S: a substitution and a deletion; nineteen oh five is how years are read.
    assert (line["words"], line["substitutions"], line["deletions"], line["insertions"]) == (9, 1, 1, 0)
    assert (line["parameters"], line["rtf"], line["test_set"], line["speakers"]) == (7, 0.01, "test", 2)
    assert line["tested_on"]["utterances"] == 3 and line["normalise"] == ["case", "hyphens", "punctuation"]
    assert (test_set.parent / "score/test/hyp.txt").read_text().splitlines()[0] == "u0 MISTER QUILTER'S HERE"


def test_what_is_missing_is_all_deletions_and_said(test_set: Path) -> None:
    done = score(test_set, "u0 mister quilter is here\nstranger hello\n")
    assert done.returncode == 0
    assert "2 of 3 cuts, such as u1, are not in it" in done.stderr and "1 transcripts are of no cut" in done.stderr
    (line,) = read_results(test_set.parent / "results.jsonl")
    assert (line["errors"], line["deletions"], line["empty"]) == (5, 5, 2)


def test_another_sets_transcripts_are_refused(test_set: Path) -> None:
    done = score(test_set, "v0 mister quilter is here\n")
    assert done.returncode == 1 and "has none of the 3 cuts" in done.stderr.splitlines()[-1]
    assert not (test_set.parent / "results.jsonl").exists()


def test_the_table_has_it_beside_our_systems(test_set: Path) -> None:
    score(test_set, "u0 mister quilter is here\nu1 nineteen oh five\nu2 do go\n")
    results = test_set.parent / "results.jsonl"
    (line,) = map(json.loads, results.read_text().splitlines())
    ours = line | {"system": "student", "labelled_hours": 1.0, "unlabelled_hours": 0.0, "updates": 9, "config": "x"}
    results.write_text(results.read_text() + json.dumps(ours, allow_nan=False) + "\n")
    command = [sys.executable, ROOT / "steps/report.py", "--results", results, "--baseline", "student", "--out",
               test_set.parent / "RESULTS.md"]  # fmt: skip
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    assert "| other | – | – | – | – | – | 11.11" in (test_set.parent / "RESULTS.md").read_text()
