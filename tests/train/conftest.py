"""Speech that a tiny model learns in seconds, and processes that torchrun starts."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lhotse import CutSet, Features, LilcomChunkyWriter, MonoCut

from understudy.align.archive import AlignmentWriter
from understudy.features.load import Normaliser
from understudy.lang.tree import Tree

SENONES = 6
# --standalone has one port for all jobs of a machine.
RENDEZVOUS = ("--rdzv_backend=c10d", "--rdzv_endpoint=localhost:0")


@pytest.fixture
def speech(tmp_path) -> Path:
    """Three small sets with features and labels that can be learnt from them."""
    rng = np.random.default_rng(0)
    means = rng.normal(0, 1, (SENONES, 64))
    Tree(3, SENONES, {}).save(tmp_path / "labels/tree.json")
    for name, size in (("labelled", 24), ("dev", 6), ("unlabelled", 24)):
        cuts, labels = [], AlignmentWriter(tmp_path / "labels" / name, ["senone"])
        with LilcomChunkyWriter(tmp_path / f"{name}.lca") as store:
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
        CutSet.from_cuts(cuts).to_file(tmp_path / f"{name}.jsonl.gz")
    Normaliser(np.zeros(64, np.float32), np.ones(64, np.float32)).save(tmp_path / "normaliser.json")
    return tmp_path


FRAME = """
import json, sys
from pathlib import Path
from understudy.stage import ranks
{}
with ranks.together(True):
    Path(sys.argv[1], str(ranks.rank())).write_text(json.dumps(work()))
"""


@pytest.fixture
def in_ranks(tmp_path) -> Callable[[str], list[Any]]:
    """What `work` of some code returns at each of two ranks."""

    def call(code: str) -> list[Any]:
        (tmp_path / "code.py").write_text(FRAME.format(code))
        launch = ["-m", "torch.distributed.run", *RENDEZVOUS, "--nproc_per_node=2", "--monitor_interval=0.3"]
        command = [sys.executable, *launch, tmp_path / "code.py", tmp_path]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]

    return call
