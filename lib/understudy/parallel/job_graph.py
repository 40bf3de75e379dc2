"""Commands that need each other, run as far as the machine allows; several machines may share the work.

There is no second book of what is done: every command is a step, which returns at once when its output is up to date.
A lock on a file for each job keeps two runs out of one folder, on this machine or on any that shares the disk.
"""

from __future__ import annotations

import fcntl
import shlex
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import IO

from understudy.step.errors import UserError
from understudy.step.output import atomic_path

_POLL_SECONDS = 0.5
_SHOWN_LINES = 5
_NO_PROGRAM = 127  # as a shell says it


@dataclass(frozen=True)
class Job:
    """One command."""

    name: str
    needs: tuple[str, ...]
    """names of the jobs that come first"""
    command: tuple[str, ...]


def read_jobs(lines: Iterable[str], source: str) -> list[Job]:
    """Cells of lines `name TAB needs TAB command`, needs apart by spaces, the command as a shell would read it.

    Raises:
        UserError: a line is no job, a name comes twice, a need is not there, or jobs need each other in a circle.
    """
    jobs: dict[str, Job] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, *rest = line.rstrip("\n").split("\t")
        if len(rest) != 2 or not name or not shlex.split(rest[1]):
            raise UserError(f"{source}:{number}: not `name TAB needs TAB command`: {line.rstrip()!r}")
        if name in jobs:
            raise UserError(f"{source}:{number}: {name} was there before. Every job has its own name.")
        jobs[name] = Job(name, tuple(rest[0].split()), tuple(shlex.split(rest[1])))
    for job in jobs.values():
        for need in job.needs:
            if need not in jobs:
                raise UserError(f"{source}: {job.name} needs {need}, which is no job.")
    try:
        TopologicalSorter({job.name: job.needs for job in jobs.values()}).prepare()
    except CycleError as error:
        raise UserError(f"{source}: jobs need each other in a circle: {' → '.join(error.args[1])}.") from None
    return list(jobs.values())


def write_jobs(path: Path, jobs: Iterable[Job]) -> None:
    """Lines that `read_jobs` reads."""
    lines = (f"{job.name}\t{' '.join(job.needs)}\t{shlex.join(job.command)}\n" for job in jobs)
    with atomic_path(path) as partial:
        partial.write_text("".join(lines), encoding="utf-8")


@dataclass
class Outcome:
    """What became of the jobs."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """not begun, since something that they need failed"""


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen | None
    """None: its program cannot be run"""
    lock: IO
    began: float

    def status(self) -> int | None:
        """Exit status; None: not yet."""
        return self.process.poll() if self.process else _NO_PROGRAM


def run_jobs(jobs: list[Job], at_once: int, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run all jobs, `at_once` at a time, in their order as far as their needs allow.

    A job that fails stops those that need it and no others. What another run of the same folder is doing is waited
    for, and then looked at as everything else.

    Args:
        folder: of locks and logs (`<job>.log`).
        say: takes a line of progress.
    """
    outcome, waiting, running = Outcome(), deque(jobs), list[_Running]()
    try:
        while waiting or running:
            begun = False
            for _ in range(len(waiting) if len(running) < at_once else 0):
                job = waiting.popleft()
                if any(need in outcome.failed or need in outcome.left for need in job.needs):
                    outcome.left.append(job.name)
                elif (
                    len(running) < at_once
                    and all(need in outcome.done for need in job.needs)
                    and (one := _begin(job, folder))
                ):
                    running.append(one)
                    begun = True
                    say(f"{job.name}: begun")
                else:
                    waiting.append(job)
            if not begun:
                time.sleep(_POLL_SECONDS)
            for one in [one for one in running if one.status() is not None]:
                running.remove(one)
                _end(one, folder, outcome, say, len(jobs))
    finally:
        for process in (one.process for one in running if one.process):
            process.terminate()  # interrupted: what was begun resumes in the next run
            process.wait()
    return outcome


def run_all(jobs: list[Job], at_once: int, folder: Path) -> None:
    """`run_jobs` as a command: everything that can be done is done before a failure is told, on standard error.

    SIGTERM ends this process, and what it runs.

    Raises:
        UserError: some jobs have failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    outcome = run_jobs(jobs, at_once, folder, lambda line: print(line, file=sys.stderr, flush=True))
    if outcome.failed:
        raise UserError(
            f"{len(outcome.failed)} jobs failed ({', '.join(outcome.failed)}), {len(outcome.left)} need them and were "
            f"not begun ({', '.join(outcome.left) or 'none'}), {len(outcome.done)} are done. Their logs are in "
            f"{folder}; run it again and it goes on."
        )
    print(f"{len(outcome.done)} jobs are done", file=sys.stderr)


def log_of(job: Job, folder: Path) -> Path:
    """Where a job's output goes."""
    return folder / f"{job.name.replace('/', '-')}.log"


def _begin(job: Job, folder: Path) -> _Running | None:
    """None: another run has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / f".{job.name.replace('/', '-')}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    with log_of(job, folder).open("ab") as log:
        # The child holds the lock too: one that outlives a killed runner keeps others out until it ends.
        try:
            process = subprocess.Popen(
                job.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, pass_fds=[lock.fileno()]
            )
        except OSError as error:
            process = None
            log.write(f"cannot run {job.command[0]} ({error.strerror})\n".encode())
    return _Running(job, process, lock, time.monotonic())


def _end(one: _Running, folder: Path, outcome: Outcome, say: Callable[[str], None], total: int) -> None:
    one.lock.close()
    minutes, log = (time.monotonic() - one.began) / 60, log_of(one.job, folder)
    if one.status() == 0:
        outcome.done.append(one.job.name)
        say(f"{one.job.name}: done in {minutes:.1f} min, {len(outcome.done)} of {total}")
        return
    outcome.failed.append(one.job.name)
    last = "".join(f"\n    {line}" for line in log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:])
    say(f"{one.job.name}: failed (exit status {one.status()}); the end of {log}:{last}")
