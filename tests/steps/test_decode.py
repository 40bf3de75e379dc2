"""Decoding that was broken off."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ship import toy_recogniser

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Of a toy on noise: a development set and two test sets. What it takes is set in the folder that it runs in."""
    toy_recogniser.make(tmp_path / "toy")
    for name, number in (("dev", 6), ("one", 8), ("two", 2)):
        made = toy_recogniser.utterances(tmp_path, name, ["ONE TWO"] * number)
        toy_recogniser.with_features(made, tmp_path / "toy/normaliser.json")
    sets = ["--dev", "feats/dev.jsonl.gz", "--test", "[feats/one.jsonl.gz, feats/two.jsonl.gz]"]
    return [
        sys.executable, str(ROOT / "steps/decode.py"), "--model", "toy", "--graph", "toy", *sets, "--system", "toy",
        "--acoustic-scales", "[0.5, 0.7]", "--prior-scales", "[0.4, 0.5]", "--jobs", "1",
    ]  # fmt: skip


def lines(results: Path) -> dict[str, dict]:
    """What does not depend on the clock."""
    timed = ("wall_s", "cpu_s", "rtf", "peak_memory_mb", "time", "scored", "commit")
    found = [json.loads(line) for line in results.read_text().splitlines()]
    return {one["test_set"]: {key: value for key, value in one.items() if key not in timed} for one in found}


def test_what_was_tuned_and_decoded_before_a_kill_or_a_fault_stays(command: list[str], tmp_path: Path) -> None:
    def call(out: str) -> subprocess.CompletedProcess[str]:
        whole = [*command, "--results", f"{out}.jsonl", "--out", out]
        return subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert call("whole").returncode == 0
    process = subprocess.Popen(
        [*command, "--results", "broken.jsonl", "--out", "broken"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    tuned, deadline = tmp_path / "broken/tuned.json", time.monotonic() + 60
    while not tuned.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not (tmp_path / "broken/.done.json").exists()
    features = tmp_path / "feats/two/00000.lca"
    features.rename(tmp_path / "away")
    faulty = call("broken")
    assert faulty.returncode == 1 and "two/00000.lca: no such file" in faulty.stderr
    assert "acoustic scale" not in faulty.stderr  # what is tried on dev is told
    kept = {path: path.stat().st_mtime_ns for path in (tuned, tmp_path / "broken/one/wer.json")}
    (tmp_path / "away").rename(features)
    resumed = call("broken")
    assert resumed.returncode == 0 and "toy, one: decoded before" in resumed.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert (
        lines(tmp_path / "broken.jsonl") == lines(tmp_path / "whole.jsonl")
        and len(lines(tmp_path / "whole.jsonl")) == 2
    )
    tested = {name: line["tested_on"] for name, line in lines(tmp_path / "broken.jsonl").items()}
    assert {name: of["utterances"] for name, of in tested.items()} == {"one": 8, "two": 2}
    assert tested["one"]["words"] == 16 and tested["one"]["digest"] != tested["two"]["digest"]
    for name in ("dev/wer.json", "one/hyp.txt", "two/hyp.txt"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_test_set_without_words_is_decoded_and_a_dev_set_is_refused(command: list[str], tmp_path: Path) -> None:
    made = toy_recogniser.utterances(tmp_path, "noises", ["UH"] * 3)
    toy_recogniser.with_features(made, tmp_path / "toy/normaliser.json")
    command[command.index("--test") + 1] = "[feats/noises.jsonl.gz, feats/two.jsonl.gz]"
    command += ["--normalise", "[fillers]", "--results", "results.jsonl", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "noises: 3 utterances have no words in their references after fillers" in done.stderr
    text = (tmp_path / "results.jsonl").read_text()
    assert "NaN" not in text and json.loads(text.splitlines()[0])["wer"] is None and len(text.splitlines()) == 2
    command[command.index("--dev") + 1] = "feats/noises.jsonl.gz"
    done = subprocess.run([*command[:-1], "other"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "noises.jsonl.gz: must have words to choose by" in done.stderr
