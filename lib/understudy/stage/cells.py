"""Commands that need each other, run as far as the machine allows; several machines may share the work.

There is no second book of what is done: every command is a step, which returns at once when its output is up to date.
A lock on a file for each cell keeps two runs out of one folder, on this machine or on any that shares the disk.
"""

from __future__ import annotations

import fcntl
import shlex
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import IO

from understudy.stage.errors import UserError

_POLL_SECONDS = 0.5
_SHOWN_LINES = 5
_NO_PROGRAM = 127  # as a shell says it


@dataclass(frozen=True)
class Cell:
    """One command."""

    name: str
    needs: tuple[str, ...]
    """names of the cells that come first"""
    command: tuple[str, ...]


def read_cells(lines: Iterable[str], source: str) -> list[Cell]:
    """Cells of lines `name TAB needs TAB command`, needs apart by spaces, the command as a shell would read it.

    Raises:
        UserError: a line is no cell, a name comes twice, a need is not there, or cells need each other in a circle.
    """
    cells: dict[str, Cell] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, *rest = line.rstrip("\n").split("\t")
        if len(rest) != 2 or not name or not shlex.split(rest[1]):
            raise UserError(f"{source}:{number}: not `name TAB needs TAB command`: {line.rstrip()!r}")
        if name in cells:
            raise UserError(f"{source}:{number}: {name} was there before. Every cell has its own name.")
        cells[name] = Cell(name, tuple(rest[0].split()), tuple(shlex.split(rest[1])))
    for cell in cells.values():
        for need in cell.needs:
            if need not in cells:
                raise UserError(f"{source}: {cell.name} needs {need}, which is no cell.")
    try:
        TopologicalSorter({cell.name: cell.needs for cell in cells.values()}).prepare()
    except CycleError as error:
        raise UserError(f"{source}: cells need each other in a circle: {' → '.join(error.args[1])}.") from None
    return list(cells.values())


@dataclass
class Outcome:
    """What became of the cells."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """not begun, since something that they need failed"""


@dataclass
class _Running:
    cell: Cell
    process: subprocess.Popen | None
    """None: its program cannot be run"""
    lock: IO
    began: float

    def status(self) -> int | None:
        """Exit status; None: not yet."""
        return self.process.poll() if self.process else _NO_PROGRAM


def run_cells(cells: list[Cell], jobs: int, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run all cells, `jobs` at a time, in their order as far as their needs allow.

    A cell that fails stops those that need it and no others. What another run of the same folder is doing is waited
    for, and then looked at as everything else.

    Args:
        folder: of locks and logs (`<cell>.log`).
        say: takes a line of progress.
    """
    outcome, waiting, running = Outcome(), deque(cells), list[_Running]()
    try:
        while waiting or running:
            begun = False
            for _ in range(len(waiting) if len(running) < jobs else 0):
                cell = waiting.popleft()
                if any(need in outcome.failed or need in outcome.left for need in cell.needs):
                    outcome.left.append(cell.name)
                elif (
                    len(running) < jobs
                    and all(need in outcome.done for need in cell.needs)
                    and (one := _begin(cell, folder))
                ):
                    running.append(one)
                    begun = True
                    say(f"{cell.name}: begun")
                else:
                    waiting.append(cell)
            if not begun:
                time.sleep(_POLL_SECONDS)
            for one in [one for one in running if one.status() is not None]:
                running.remove(one)
                _end(one, folder, outcome, say, len(cells))
    finally:
        for process in (one.process for one in running if one.process):
            process.terminate()  # interrupted: what was begun resumes in the next run
            process.wait()
    return outcome


def log_of(cell: Cell, folder: Path) -> Path:
    """Where a cell's output goes."""
    return folder / f"{cell.name.replace('/', '-')}.log"


def _begin(cell: Cell, folder: Path) -> _Running | None:
    """None: another run has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / f".{cell.name.replace('/', '-')}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    with log_of(cell, folder).open("ab") as log:
        # The child holds the lock too: one that outlives a killed runner keeps others out until it ends.
        try:
            process = subprocess.Popen(
                cell.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, pass_fds=[lock.fileno()]
            )
        except OSError as error:
            process = None
            log.write(f"cannot run {cell.command[0]} ({error.strerror})\n".encode())
    return _Running(cell, process, lock, time.monotonic())


def _end(one: _Running, folder: Path, outcome: Outcome, say: Callable[[str], None], total: int) -> None:
    one.lock.close()
    minutes, log = (time.monotonic() - one.began) / 60, log_of(one.cell, folder)
    if one.status() == 0:
        outcome.done.append(one.cell.name)
        say(f"{one.cell.name}: done in {minutes:.1f} min, {len(outcome.done)} of {total}")
        return
    outcome.failed.append(one.cell.name)
    last = "".join(f"\n    {line}" for line in log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:])
    say(f"{one.cell.name}: failed (exit status {one.status()}); the end of {log}:{last}")
