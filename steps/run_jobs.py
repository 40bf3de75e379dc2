#!/usr/bin/env python3
"""Run commands that need each other, several at a time; the same command on another machine takes its part.

e.g.: steps/run_jobs.py --graph exp/table/jobs.tsv --jobs 2 --logs exp/table/log
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.parallel.job_graph import read_jobs, run_jobs
from understudy.step import UserError, command


@dataclass
class Options:
    """Cells of a table."""

    graph: Path
    """lines of `name TAB names of the jobs that it needs TAB command`; the order says what matters most"""
    logs: Path
    """folder of the jobs' logs, and of locks: machines that share it share the work"""
    jobs: PositiveInt = 1
    """jobs at a time on this machine"""


def run(options: Options) -> None:
    """Everything that can be done is done before a failure is told."""
    if not options.graph.exists():
        raise UserError(f"{options.graph}: no such file")
    jobs = read_jobs(options.graph.read_text().splitlines(), str(options.graph))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended too
    outcome = run_jobs(jobs, options.jobs, options.logs, lambda line: print(line, file=sys.stderr, flush=True))
    if outcome.failed:
        raise UserError(
            f"{len(outcome.failed)} jobs failed ({', '.join(outcome.failed)}), {len(outcome.left)} need them and were "
            f"not begun ({', '.join(outcome.left) or 'none'}), {len(outcome.done)} are done. Their logs are in "
            f"{options.logs}; run it again and it goes on."
        )
    print(f"{len(outcome.done)} jobs are done", file=sys.stderr)


if __name__ == "__main__":
    command(Options, run)
