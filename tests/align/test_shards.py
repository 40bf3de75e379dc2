"""Aligning by shard: the same whatever their size and the number of processes; what a killed run aligned stays."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.ship import toy_recogniser

from understudy.align.archive import AlignmentReader
from understudy.align.gmm import GaussianMixtures
from understudy.corpus import read_cuts
from understudy.lang.lexicon import Lexicon
from understudy.step import read_json

STEPS = Path(__file__).parents[2] / "steps"
CUTS = 10


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy network, tree and lexicon, and noises with transcripts: one too long for its noise, one of another word."""
    folder = tmp_path_factory.mktemp("speech")
    toy_recogniser.make(folder / "toy")
    (folder / "toy/oov.txt").write_text("skip\n")
    first, second = Lexicon.read(folder / "toy").vocabulary[:2]
    texts = [f"{first} {second}"] * CUTS
    texts[3], texts[7] = " ".join([first] * 300), "UNHEARD"
    toy_recogniser.with_features(toy_recogniser.utterances(folder, "set", texts, 1.0), folder / "toy/normaliser.json")
    return folder


def command(speech: Path, step: str, out: str, *more: object) -> list[str]:
    toy, manifest = speech / "toy", speech / "feats/set.jsonl.gz"
    of = {
        "realign": ["--model", toy, "--tree", toy],
        "align_mono": ["--iterations", 12, "--gaussians", 40, "--threads", 1],
    }
    given = [*of[step], "--feats", f"[{manifest}]", "--lang", toy, "--out", speech / out, *more]
    return [sys.executable, *map(str, (STEPS / f"{step}.py", *given))]


def aligned(folder: Path) -> dict[str, np.ndarray]:
    reader = AlignmentReader(folder / "set")
    return dict(zip(reader.ids(), reader.rows(), strict=True))


@pytest.mark.parametrize("step", ["realign", "align_mono"])
def test_shards_and_processes_change_nothing_and_a_killed_run_goes_on(speech: Path, step: str) -> None:
    for out, more in (("one", ("--jobs", 1)), ("many", ("--jobs", 2, "--shard-size", 3))):
        subprocess.run(command(speech, step, f"{step}-{out}", *more), check=True, capture_output=True)
    killed = command(speech, step, f"{step}-killed", "--jobs", 1, "--shard-size", 1)
    process = subprocess.Popen(killed, stderr=subprocess.DEVNULL)
    shards, deadline = speech / f"{step}-killed/set", time.monotonic() + 60
    while len(list(shards.glob("0*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in shards.glob("0*.json")}
    assert 2 <= len(kept) < CUTS and not (shards / "index.json").exists()
    subprocess.run(killed, check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    log = (speech / f"{step}-killed/log.txt").read_text()
    assert log.count("mixtures learn from") == (step == "align_mono")
    whole = aligned(speech / f"{step}-one")
    assert sorted(whole) == sorted({cut.id for cut in read_cuts(speech / "set.jsonl.gz")} - {"set3", "set7"})
    for out in ("many", "killed"):
        again = aligned(speech / f"{step}-{out}")
        assert list(again) == list(whole) and all((again[name] == whole[name]).all() for name in whole)
        assert read_json(speech / f"{step}-{out}/report.json") == read_json(speech / f"{step}-one/report.json")
    report = read_json(speech / f"{step}-one/report.json")["set"]
    assert report["aligned"] == CUTS - 2 and report["failed"] == ["set3"] and report["unknown_words"] == ["set7"]


@pytest.mark.parametrize("step", ["realign", "align_mono"])
def test_sets_of_one_name_are_refused_before_one_takes_the_shards_of_the_other(speech: Path, step: str) -> None:
    twins = f"[{speech / 'set.jsonl.gz'}, {speech / 'feats/set.jsonl.gz'}]"
    done = subprocess.run(command(speech, step, "twins", "--feats", twins), capture_output=True, text=True)
    assert done.returncode == 1 and "both would be written to one folder, set" in done.stderr
    assert not (speech / "twins").exists()


def test_mixtures_come_back_as_they_were(speech: Path) -> None:
    subprocess.run(command(speech, "align_mono", "mixtures", "--jobs", 1), check=True, capture_output=True)
    found = GaussianMixtures.load(speech / "mixtures/mixtures.safetensors")
    found.save(speech / "again.safetensors")
    assert (speech / "again.safetensors").read_bytes() == (speech / "mixtures/mixtures.safetensors").read_bytes()
    assert 12 < found.components <= 40
