#!/usr/bin/env python3
"""Run commands that need each other, several at a time; the same command on another machine takes its part.

e.g.: steps/run_cells.py --cells exp/table/cells.tsv --jobs 2 --logs exp/table/log
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.stage import UserError, command
from understudy.stage.cells import read_cells, run_cells


@dataclass
class Options:
    """Cells of a table."""

    cells: Path
    """lines of `name TAB names of the cells that it needs TAB command`; the order says what matters most"""
    logs: Path
    """folder of the cells' logs, and of locks: machines that share it share the work"""
    jobs: PositiveInt = 1
    """cells at a time on this machine"""


def run(options: Options) -> None:
    """Everything that can be done is done before a failure is told."""
    if not options.cells.exists():
        raise UserError(f"{options.cells}: no such file")
    cells = read_cells(options.cells.read_text().splitlines(), str(options.cells))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended too
    outcome = run_cells(cells, options.jobs, options.logs, lambda line: print(line, file=sys.stderr, flush=True))
    if outcome.failed:
        raise UserError(
            f"{len(outcome.failed)} cells failed ({', '.join(outcome.failed)}), {len(outcome.left)} need them and were "
            f"not begun ({', '.join(outcome.left) or 'none'}), {len(outcome.done)} are done. Their logs are in "
            f"{options.logs}; run it again and it goes on."
        )
    print(f"{len(outcome.done)} cells are done", file=sys.stderr)


if __name__ == "__main__":
    command(Options, run)
