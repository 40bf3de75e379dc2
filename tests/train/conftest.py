"""Speech that a tiny model learns in seconds, and processes that torchrun starts."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.train.toy_speech import make_speech

RENDEZVOUS = ("--rdzv_backend=c10d", "--rdzv_conf=store_type=file")


@pytest.fixture
def speech(tmp_path) -> Path:
    """Three small sets with features and labels that can be learnt from them."""
    return make_speech(tmp_path)


FRAME = """
import json, sys
from pathlib import Path
from understudy.step import ranks
{}
with ranks.joined(True):
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
