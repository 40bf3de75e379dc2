"""A folder of stage 12 hears the same words on a processor without 8-bit dot products."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.ship import toy_recogniser

from understudy.ship.folder import RUNTIME

PRECISIONS = ["float32", "int8-dynamic", "int8-static"]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped")
    toy_recogniser.make(folder / "recogniser")
    made = toy_recogniser.utterances(folder, "test", ["ONE TWO"] * 6)
    manifest = toy_recogniser.with_features(made, folder / "recogniser/normaliser.json")
    command = [sys.executable, Path(__file__).parents[2] / "steps/ship.py", "--recogniser", folder / "recogniser"]
    command += ["--calibrate", manifest, "--test", f"[{manifest}]", "--system", "toy", "--out", folder / "networks"]
    command += ["--precisions", f"[{','.join(PRECISIONS)}]", "--results", folder / "results.jsonl"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def heard(shipped: Path, precision: str, *processor: str) -> list[dict[str, Any]]:
    folder, files = shipped / "networks" / precision, sorted(shipped.glob("test*.wav"))
    alone = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [*processor, sys.executable, "-m", RUNTIME, *files, "--device", folder, "--format", "json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=alone)
    assert done.returncode == 0, done.stderr
    return [one for one in map(json.loads, done.stdout.splitlines()) if one["final"]]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_words_and_their_times_are_the_same_without_dot_products(shipped: Path, precision: str) -> None:
    emulator = shutil.which("qemu-x86_64")
    if emulator is None or platform.machine() != "x86_64":
        pytest.skip("needs qemu-x86_64 on x86 (Debian: apt install qemu-user) to be a processor without VNNI")
    here, there = heard(shipped, precision), heard(shipped, precision, emulator, "-cpu", "Haswell")
    told = ("file", "text", "start", "end")
    assert [[one[name] for name in told] for one in here] == [[one[name] for name in told] for one in there]
    assert sum(len(one["text"].split()) for one in here) >= 6
