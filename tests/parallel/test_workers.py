"""Processes: results in order, few tasks ahead, the dead replaced, no orphans, a queue's jobs."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from understudy.parallel import workers as module
from understudy.parallel.options import ClusterOptions
from understudy.parallel.workers import Workers
from understudy.step import UserError


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"bad {number}")
    if number == 1000:
        raise UserError("too large")
    return number * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_tasks_are_taken_as_needed(jobs):
    taken = []
    with Workers(jobs) as workers:
        stream = workers.map(square, (taken.append(i) or i for i in range(40)))
        assert [next(stream) for _ in range(3)] == [0, 1, 4]
        assert len(taken) <= 3 + 4 * jobs
        assert list(stream) == [i * i for i in range(3, 40)]
        assert list(workers.map(square, [7])) == [49]  # the same processes serve again
        before = workers.cpu_seconds()
        assert sum(workers.map(burn, [0.2, 0.2])) and workers.cpu_seconds() > before + 0.3


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_task_is_raised(jobs):
    with Workers(jobs) as workers, pytest.raises(ValueError, match="bad -1"):
        list(workers.map(square, [1, -1, 2]))
    with Workers(jobs) as workers, pytest.raises(UserError, match="too large"):
        list(workers.map(square, [1, 1000, 2]))


def burn(seconds: float) -> float:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


def fail_at_first(task: tuple[Path, int, type[Exception]]) -> int:
    """Fail so many times, as on a disk that is away."""
    tries, times, error = task
    with tries.open("a") as file:
        file.write("x")
    if tries.stat().st_size <= times:
        raise error("away")
    return 1


def die_once(marker: Path | None) -> int:
    if marker is not None and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die_writing(folder: Path) -> None:
    if not list(folder.glob(".partial-*")):
        (folder / ".partial-shard").mkdir()
        (folder / ".partial-shard/half").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_failed_at_a_file_is_tried_again_after_a_while(tmp_path, monkeypatch, jobs):
    monkeypatch.setattr(module, "_PAUSES", (0.2, 0.3))
    with Workers(jobs) as workers:
        begun = time.monotonic()
        assert list(workers.map(fail_at_first, [(tmp_path / "away", 2, OSError)])) == [1]
        assert time.monotonic() - begun > 0.5
        for error, tries in ((OSError, 3), (UserError, 1), (ValueError, 1)):
            with pytest.raises(error, match="away"):
                list(workers.map(fail_at_first, [(tmp_path / error.__name__, 9, error)]))
            assert (tmp_path / error.__name__).stat().st_size == tries


def test_who_died_is_replaced(tmp_path, caplog):
    with Workers(2) as workers:
        with caplog.at_level(logging.WARNING, "understudy"):
            pids = list(workers.map(die_once, [None, tmp_path / "dead", None, None]))
        assert len(pids) == 4 and (tmp_path / "dead").exists()
        with pytest.raises(UserError, match=r"cuts: 4 processes died at number 1\. Had they memory"):
            list(workers.map(die, [1], "cuts"))


def test_what_a_dead_one_was_writing_is_removed_at_the_end(tmp_path):
    with Workers(2, out=tmp_path) as workers:
        list(workers.map(die_writing, [tmp_path]))
        assert os.listdir(tmp_path) == [".partial-shard"]
    assert not os.listdir(tmp_path)


def environment(_: int) -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in ("OMP_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_"))


def test_processes_have_their_threads_and_our_memory_settings(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "12345")
    with Workers(2, threads=3) as workers:
        assert list(workers.map(environment, [0])) == [("3", "12345")]


SBATCH = """\
#!/bin/sh
# A queue of this machine: a job begins at once.
sh "$1" >"$QUEUE/log" 2>&1 &
cp "$1" "$QUEUE/job-$!"
echo "Submitted batch job $!"
"""


def test_a_queue_gets_jobs_that_say_what_they_need(tmp_path, monkeypatch):
    queue = tmp_path / "queue"
    queue.mkdir()
    for name, script in {
        "sbatch": SBATCH,
        "scancel": '#!/bin/sh\nkill "$@" 2>/dev/null\n',
        "squeue": "#!/bin/sh\n",
    }.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("QUEUE", str(queue))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))  # this file is no package's
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "12345")
    monkeypatch.chdir(tmp_path)
    options = ClusterOptions(
        "slurm", queue="speech", memory="1GB", directives=["--account=us"], prologue=["export A=b"]
    )
    with Workers(1, options, threads=2, out=tmp_path) as workers:
        assert list(workers.map(square, range(5))) == [0, 1, 4, 9, 16]
        assert list(workers.map(environment, [0])) == [("2", "12345")]
        assert list(workers.map(die_once, [tmp_path / "dead"]))  # within the job, a nanny brings another up
    (job,) = queue.glob("job-*")
    lines = job.read_text().splitlines()
    assert {"#SBATCH -p speech", "#SBATCH --account=us", "#SBATCH --cpus-per-task=2", "export A=b"} <= set(lines)


def test_a_killed_parent_leaves_no_worker(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from understudy.parallel.workers import Workers

        def work(folder):
            Path(folder, str(os.getpid())).touch()
            time.sleep(600)

        if __name__ == "__main__":
            with Workers(2) as workers:
                list(workers.map(work, [sys.argv[1]] * 2))
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
