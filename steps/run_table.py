#!/usr/bin/env python3
"""Run the experiments on a corpus, as a recipe's conf/table.yaml describes them, and make their table.

e.g.: steps/run_table.py --config conf/table.yaml --blocks "A B" --seeds 1
      steps/run_table.py --config conf/table.yaml --list true

It resumes, and machines that share the disk share the work (steps/run_jobs.py).
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from understudy.experiments import Experiments, full_names, in_order_of_need, jobs_of, rows_of
from understudy.parallel.job_graph import run_all, write_jobs
from understudy.step import UserError, atomic_path, command


@dataclass(kw_only=True)
class Options(Experiments):
    """The experiments, and their table."""

    list: bool = False
    """only list the jobs, and what each needs"""
    table: Path = Path("TABLE.md")
    """where the table goes; its pictures and results go to the folder table/ beside it"""


def run(options: Options) -> None:
    """List the jobs, or run them and make the table of what is done, even if some failed."""
    jobs = in_order_of_need(jobs_of(options), options)
    write_jobs(options.dir / "jobs.tsv", jobs)
    with atomic_path(options.dir / "rows.tsv") as partial:
        partial.write_text("".join("\t".join(row[1:]) + "\n" for row in rows_of(options)), encoding="utf-8")
    if options.list:
        print(*(f"{job.name}\t{' '.join(job.needs)}" for job in jobs), sep="\n")
        return
    faults = []
    for work in (lambda: run_all(jobs, options.jobs, options.dir / "log"), lambda: _report(options)):
        try:
            work()
        except UserError as error:
            faults.append(str(error))
    if faults:
        raise UserError(" ".join(faults))


def _report(options: Options) -> None:
    """Write the table, and the page of students that were shipped, from the results that exist."""
    from understudy.score.results import read_results

    results = options.dir / "results.jsonl"
    if not results.exists():
        return
    of_first = ("--test-set", options.tests[0]) if len(options.tests) > 1 else ()
    _step("report_table", "--results", results, "--rows", options.dir / "rows.tsv", "--out", options.table, *of_first)
    if any("precision" in line for line in read_results(results)):
        _step("report_device", "--results", results, "--out", options.table.parent / "table/DEVICE.md")


def _step(name: str, *arguments: object) -> None:
    """Run a step. Raises UserError if it fails, after it has said why."""
    if subprocess.run([sys.executable, f"steps/{name}.py", *map(str, arguments)], check=False).returncode:
        raise UserError(f"steps/{name}.py has failed, as was said above.")


if __name__ == "__main__":
    sys.argv[1:] = full_names(sys.argv[1:], Options)
    command(Options, run)
