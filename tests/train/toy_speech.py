"""Speech that a tiny model learns in seconds, and the commands that train on it."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from lhotse import CutSet, Features, LilcomChunkyWriter, MonoCut

from understudy.align.archive import AlignmentWriter
from understudy.features import Normaliser
from understudy.lang.tree import Tree

ROOT = Path(__file__).parents[2]
SENONES = 6


def make_speech(folder: Path) -> Path:
    """Three small sets with features and labels that can be learnt from them."""
    rng = np.random.default_rng(0)
    means = rng.normal(0, 1, (SENONES, 64))
    Tree(3, SENONES, {}).save(folder / "labels/tree.json")
    for name, size in (("labelled", 24), ("dev", 6), ("unlabelled", 24)):
        cuts, labels = [], AlignmentWriter(folder / "labels" / name, ["senone"])
        with LilcomChunkyWriter(folder / f"{name}.lca") as store:
            for i in range(size):
                senones = np.repeat(rng.integers(0, SENONES, 8), rng.integers(2, 6, 8))
                frames = (np.repeat(means[senones], 3, 0) + rng.normal(0, 1, (3 * len(senones), 64))).astype(np.float32)
                cut = MonoCut(f"{name}{i}", 0, round(len(frames) / 100, 2), 0)
                cut.features = Features(
                    "x", len(frames), 64, 0.01, 16000, 0, cut.duration, store.name, str(store.storage_path),
                    store.write(cut.id, frames), cut.id, 0,
                )  # fmt: skip
                cuts.append(cut)
                labels.write(cut.id, senones, len(senones))
        labels.close()
        CutSet.from_cuts(cuts).to_file(folder / f"{name}.jsonl.gz")
    Normaliser(np.zeros(64, np.float32), np.ones(64, np.float32)).save(folder / "normaliser.json")
    return folder


def train_command(folder: Path, out: str, *more: object) -> list:
    """A training of a tiny model on that speech."""
    return [
        sys.executable, ROOT / "steps/train.py", "--labelled", folder / "labelled.jsonl.gz", "--dev",
        folder / "dev.jsonl.gz", "--labels", folder / "labels", "--model.layers", "1", "--model.cells", "24",
        "--train.max_frames", "60", "--train.checkpoint_seconds", "0", "--threads", "1", "--out", folder / out, *more,
    ]  # fmt: skip


def run(command: list) -> None:
    """A command that has to end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def kill_when(command: list, ready: Callable[[], bool]) -> None:
    """Start a command, and kill it as soon as it is so far."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    assert process.poll() is None, "ended before it could be killed"
    process.kill()
    process.wait()
