"""One writer for a folder: a second is told who writes there; who has died owns nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from understudy.step import UserError
from understudy.step.owner import OWNER, STALE, owned

HOLD = """if True:
    import sys, time
    from pathlib import Path
    from understudy.step.owner import owned
    with owned(Path(sys.argv[1])):
        print("owned", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process, which owns the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "owned\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_writer_is_told_who_writes_there(tmp_path: Path, holder: subprocess.Popen) -> None:
    told = rf"process {holder.pid} on \S+ has been writing there since \d{{4}}-.*Wait for it, choose another --out"
    with pytest.raises(UserError, match=told), owned(tmp_path):
        pass
    assert (tmp_path / OWNER).exists() and [path.name for path in tmp_path.iterdir()] == [OWNER]


def test_a_killed_writer_is_no_hindrance(tmp_path: Path, holder: subprocess.Popen) -> None:
    holder.kill()  # and not waited for: it is a zombie now
    time.sleep(0.2)
    with owned(tmp_path):
        assert json.loads((tmp_path / OWNER).read_text())["process"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_a_later_process_of_the_same_number_is_not_taken_for_the_writer(tmp_path: Path, holder) -> None:
    owner = json.loads((tmp_path / OWNER).read_text())
    (tmp_path / OWNER).write_text(json.dumps(owner | {"born": owner["born"] - 1000}))
    with owned(tmp_path):
        pass


@pytest.mark.parametrize(("seconds", "owns"), [(STALE / 2, True), (STALE + 1, False)])
def test_a_writer_on_another_machine_owns_while_it_touches_its_file(tmp_path: Path, seconds: float, owns: bool) -> None:
    (tmp_path / OWNER).write_text(
        json.dumps({"machine": "elsewhere", "process": 1, "born": 0.0, "since": "2026-01-01"})
    )
    os.utime(tmp_path / OWNER, (time.time() - seconds, time.time() - seconds))
    if owns:
        with pytest.raises(UserError, match=re.escape("process 1 on elsewhere")), owned(tmp_path):
            pass
    else:
        with owned(tmp_path):
            assert json.loads((tmp_path / OWNER).read_text())["machine"] != "elsewhere"


def test_a_file_that_power_was_lost_on_owns_nothing(tmp_path: Path) -> None:
    (tmp_path / OWNER).write_text("")
    with owned(tmp_path):
        pass


def test_an_owner_touches_its_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("understudy.step.owner.TOUCHED", 0.05)
    with owned(tmp_path):
        os.utime(tmp_path / OWNER, (1, 1))
        deadline = time.monotonic() + 20
        while (tmp_path / OWNER).stat().st_mtime == 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (tmp_path / OWNER).stat().st_mtime > 1


def test_of_many_at_once_one_owns(tmp_path: Path) -> None:
    program = HOLD.replace("time.sleep(60)", "time.sleep(3)")
    (tmp_path / OWNER).write_text(json.dumps({"machine": "gone", "process": 1, "born": 0.0, "since": ""}))
    os.utime(tmp_path / OWNER, (1, 1))
    command = [sys.executable, "-c", program, tmp_path]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(5)]
    assert sum(process.communicate()[0] == b"owned\n" for process in several) == 1
