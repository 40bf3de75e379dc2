#!/usr/bin/env python3
"""Run commands that depend on one another, several at a time; the same command on another machine shares the work.

e.g.: steps/run_jobs.py --graph exp/table/jobs.tsv --jobs 2 --logs exp/table/log
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.parallel.job_graph import read_jobs, run_all
from understudy.step import UserError, command


@dataclass
class Options:
    """A graph of jobs."""

    graph: Path
    """lines of `name TAB names of the jobs that it needs TAB command`; the first ones matter most"""
    logs: Path
    """folder of the jobs' logs, and of locks: machines that share it share the work"""
    jobs: PositiveInt = 1
    """jobs at a time on this machine"""


def run(options: Options) -> None:
    """Run all jobs that can be run before a failure is reported."""
    if not options.graph.exists():
        raise UserError(f"{options.graph}: no such file")
    run_all(read_jobs(options.graph.read_text().splitlines(), str(options.graph)), options.jobs, options.logs)


if __name__ == "__main__":
    command(Options, run)
