"""A step in several processes: rank 0 looks and writes, the others wait; one that fails is named by the others."""

import re
import stat
import subprocess
import sys

import pytest

from understudy.step import UserError
from understudy.step import ranks as module

RENDEZVOUS = ("--rdzv_backend=c10d", "--rdzv_conf=store_type=file")

STEP = '''
"""A step."""
from dataclasses import dataclass
from pathlib import Path
from understudy.step import Step, UserError, log, main, ranks

@dataclass
class Options:
    out: Path
    fails: int = -1

def run(options, step):
    log.info("an info of rank %d", ranks.rank())
    log.warning("a warning of rank %d", ranks.rank())
    if ranks.rank() == options.fails:
        raise UserError("my disk is gone")
    assert ranks.gather(10 * ranks.rank()) == [0, 10] and ranks.broadcast(ranks.rank() + 5) == 5
    assert ranks.all_reduce([1.0, ranks.rank()]) == [2.0, 1.0]
    if ranks.rank() == 0:
        (step.out / "result").write_text("x")

if __name__ == "__main__":
    main(Options, run, unfingerprinted=("fails",), torchrun=TORCHRUN)
'''


@pytest.fixture
def step(tmp_path):
    def call(*arguments: str, torchrun: bool = True) -> subprocess.CompletedProcess:
        (tmp_path / "step.py").write_text(STEP.replace("TORCHRUN", str(torchrun)))
        launch = ["-m", "torch.distributed.run", *RENDEZVOUS, "--nproc_per_node=2", "--monitor_interval=0.3"]
        command = [sys.executable, *launch, "step.py", "--out", "out", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240)

    return call


def test_the_first_rank_looks_and_writes_and_all_end_together(step, tmp_path):
    first = step()
    assert first.returncode == 0 and (tmp_path / "out/.done.json").exists(), first.stderr
    assert "an info of rank 0" in first.stderr and "an info of rank 1" not in first.stderr
    assert "WARNING rank 1: a warning of rank 1" in first.stderr
    again = step()
    assert again.returncode == 0 and again.stderr.count("up to date") == 1 and "an info" not in again.stderr


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_fails_ends_the_job_and_is_named(step, tmp_path, rank):
    done = step("--fails", str(rank))
    assert done.returncode != 0 and not (tmp_path / "out/.done.json").exists()
    told = re.compile(rf"rank {rank} \(pid \d+ on \S+\) failed \(UserError: my disk is gone\): the job is stopped")
    assert told.search(done.stderr)
    assert "error: my disk is gone" in done.stderr
    assert bool(told.search((tmp_path / "out/log.txt").read_text())) == (rank == 1)


def test_an_input_that_is_missing_is_said_once_and_nobody_waits(step, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    done = step()
    assert done.returncode != 0 and done.stderr.count("error: out: holds files that no step wrote") == 1


def test_other_steps_are_one_process(step):
    done = step(torchrun=False)
    assert done.returncode != 0 and "start it without torchrun" in done.stderr


DOORS = """
import psutil
from understudy.step import ranks
with ranks.joined(True):
    me = psutil.Process()
    found = [c.laddr for one in (me, *[me.parent()] * (ranks.rank() == 0)) for c in one.net_connections("inet")]
    addresses = ranks.gather([at.ip for at in found])
    if ranks.rank() == 0:
        print("at", sorted({one for some in addresses for one in some}))
"""


def test_ranks_of_one_machine_are_on_its_loopback_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")  # as utils/path.sh
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "doors.py").write_text(DOORS)
    command = [sys.executable, "-m", "torch.distributed.run", *RENDEZVOUS, "--nproc_per_node=2", tmp_path / "doors.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.stdout.startswith("at ['127.0.0.1']"), done.stdout + done.stderr
    (met,) = tmp_path.glob("understudy-*")
    assert stat.S_IMODE(met.stat().st_mode) == 0o700 and not list(met.iterdir())


def test_a_folder_that_others_made_is_not_met_in(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(module.os, "getuid", lambda: 12345)
    (tmp_path / "understudy-12345").mkdir(mode=0o700)
    with pytest.raises(UserError, match="understudy-12345: must be a folder that you own and nobody else can read"):
        module._meeting()
