"""Processes: results in order, few tasks ahead, no orphans."""

import os
import subprocess
import sys
import textwrap
import time

import pytest

from understudy.stage.workers import in_processes


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"bad {number}")
    return number * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_tasks_are_taken_as_needed(jobs):
    taken = []
    stream = in_processes(square, (taken.append(i) or i for i in range(40)), jobs)
    assert [next(stream) for _ in range(3)] == [0, 1, 4]
    assert len(taken) <= 3 + 4 * jobs
    assert list(stream) == [i * i for i in range(3, 40)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_task_is_raised(jobs):
    with pytest.raises(ValueError, match="bad -1"):
        list(in_processes(square, [1, -1, 2], jobs))


def test_a_killed_parent_leaves_no_worker(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from understudy.stage.workers import in_processes

        def work(folder):
            Path(folder, str(os.getpid())).touch()
            time.sleep(600)

        if __name__ == "__main__":
            list(in_processes(work, [sys.argv[1]] * 2, 2))
    """)
    )
    pids = tmp_path / "pids"
    pids.mkdir()
    parent = subprocess.Popen([sys.executable, script, pids])
    deadline = time.monotonic() + 60
    while len(os.listdir(pids)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    workers = [int(name) for name in os.listdir(pids)]
    assert len(workers) == 2
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # one that nobody waited for is dead all the same
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
