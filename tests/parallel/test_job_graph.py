"""Cells: order and needs, failures that stop only what needs them, two runs that share the work, a killed runner."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from understudy.parallel.job_graph import Job, read_jobs, run_jobs
from understudy.step import UserError

RUN_JOBS = Path(__file__).parents[2] / "steps/run_jobs.py"


def shell(name: str, needs: str, script: str) -> Job:
    return Job(name, tuple(needs.split()), ("bash", "-c", script))


def ran(folder: Path) -> list[str]:
    return (folder / "order").read_text().split()


def test_jobs_run_after_what_they_need_and_otherwise_in_order(tmp_path):
    note = f"echo $0 >> {tmp_path}/order"
    jobs = [
        Job(name, tuple(needs.split()), ("bash", "-c", note, name))
        for name, needs in (("d", "b c"), ("b", "a"), ("a", ""), ("c", ""))
    ]
    said: list[str] = []
    outcome = run_jobs(jobs, 1, tmp_path / "log", said.append)
    assert ran(tmp_path) == ["a", "c", "b", "d"] or ran(tmp_path) == ["a", "b", "c", "d"]
    assert sorted(outcome.done) == ["a", "b", "c", "d"] and not outcome.failed and not outcome.left
    assert len(said) == 8 and "4 of 4" in said[-1]


def test_jobs_run_at_the_same_time(tmp_path):
    # Each waits for the other to have begun: one after the other they would never end.
    meet = "touch {0}/{1}; for i in $(seq 200); do [[ -e {0}/{2} ]] && exit 0; sleep 0.05; done; exit 1"
    jobs = [shell("a", "", meet.format(tmp_path, 1, 2)), shell("b", "", meet.format(tmp_path, 2, 1))]
    assert sorted(run_jobs(jobs, 2, tmp_path / "log", print).done) == ["a", "b"]


def test_a_failure_leaves_what_needs_it_and_nothing_else(tmp_path):
    jobs = [
        shell("bad", "", "echo the reason >&2; exit 3"),
        shell("after", "bad", "true"),
        shell("later", "after", "true"),
        shell("other/one", "", "true"),
    ]
    said: list[str] = []
    outcome = run_jobs(jobs, 2, tmp_path / "log", said.append)
    assert outcome.failed == ["bad"] and outcome.left == ["after", "later"] and outcome.done == ["other/one"]
    assert any("exit status 3" in line and "the reason" in line for line in said)
    assert (tmp_path / "log/other-one.log").exists()


def test_a_program_that_is_not_there_fails_as_any_other(tmp_path):
    """Those that run go on, and only what needs it is left."""
    jobs = [
        shell("slow", "", f"sleep 1; touch {tmp_path}/slow"),
        Job("gone", (), (f"{tmp_path}/nowhere", "--out", "x")),
        shell("after", "gone", "true"),
        shell("other", "", "true"),
    ]
    said: list[str] = []
    outcome = run_jobs(jobs, 2, tmp_path / "log", said.append)
    assert outcome.failed == ["gone"] and outcome.left == ["after"] and sorted(outcome.done) == ["other", "slow"]
    assert (tmp_path / "slow").exists()
    assert any("cannot run" in line and "nowhere (No such file or directory)" in line for line in said)


@pytest.mark.parametrize(
    "lines, told",
    [
        (["a\t\ttrue", "a\t\ttrue"], "jobs:2: a was there before"),
        (["a\tb\ttrue"], "a needs b, which is no job"),
        (["a\tb\ttrue", "b\ta\ttrue"], "in a circle"),
        (["a\ttrue"], "jobs:1: not"),
        (["a\t\t "], "jobs:1: not"),
    ],
)
def test_a_list_that_cannot_be_run_is_refused_by_line(lines, told):
    with pytest.raises(UserError, match=told):
        read_jobs(lines, "jobs")


def test_a_command_is_read_as_a_shell_would():
    (job,) = read_jobs(["a\t\tprintf %s a\\ b '[c,d]'", ""], "jobs")
    assert job.command == ("printf", "%s", "a b", "[c,d]") and job.needs == ()


def test_two_runs_of_one_folder_share_the_work(tmp_path):
    # Only one may be in a job; one that finds its mark has nothing to do, as a step would.
    script = "[[ -e {0}/{1} ]] || {{ mkdir {0}/in-{1} && sleep 0.3 && touch {0}/{1}; }}"
    jobs = (f"{i}\t\tbash -c '{script.format(tmp_path, i)}'\n" for i in range(6))
    (tmp_path / "jobs").write_text("".join(jobs))
    command = [sys.executable, RUN_JOBS, "--graph", tmp_path / "jobs", "--logs", tmp_path / "log"]
    runs = [subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in runs:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said
        assert "6 jobs are done" in said
    assert all((tmp_path / str(i)).exists() for i in range(6))


def test_what_a_killed_runner_has_begun_keeps_others_out_until_it_ends(tmp_path):
    work = f"echo begun >> {tmp_path}/order; sleep 3; echo ended >> {tmp_path}/order"
    (tmp_path / "jobs").write_text(f"only\t\tbash -c '{work}'\n")
    command = [sys.executable, RUN_JOBS, "--graph", tmp_path / "jobs", "--logs", tmp_path / "log"]
    command = list(map(str, command))
    runner = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "order").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    runner.kill()
    runner.wait()
    subprocess.run(command, check=True, capture_output=True)
    assert ran(tmp_path) == ["begun", "ended", "begun", "ended"]


def test_an_interrupted_runner_ends_what_it_began(tmp_path):
    (tmp_path / "jobs").write_text(f"only\t\tbash -c 'echo $$ > {tmp_path}/pid; exec sleep 600'\n")
    command = [sys.executable, RUN_JOBS, "--graph", tmp_path / "jobs", "--logs", tmp_path / "log"]
    runner = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    runner.terminate()
    runner.wait(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
