"""The order of jobs: those that a block of the table needs, before those that only later blocks need."""

from __future__ import annotations

from understudy.experiments.options import Experiments
from understudy.experiments.rows import rows_of
from understudy.parallel.job_graph import Job

Rank = tuple[bool, int]
"""Whether a job is of a further seed; number of the block"""


def in_order_of_need(jobs: list[Job], described: Experiments) -> list[Job]:
    """Sort jobs: first those that the rows of the first block need, with the first seed, then those of the next block,
    and so on, in the order of the option `blocks`; jobs that only further seeds need come last.

    Args:
        jobs: all jobs, those of the first seed before those of the next.
        described: the experiments.
    """
    by_name, ranks = {job.name: job for job in jobs}, dict[str, Rank]()

    def needed(name: str, rank: Rank) -> None:
        if name not in ranks or rank < ranks[name]:
            ranks[name] = rank
            for need in by_name[name].needs:
                needed(need, rank)

    for name, rank in _own_ranks(jobs, described).items():
        needed(name, rank)
    return sorted(jobs, key=lambda job: ranks[job.name])


def _own_ranks(jobs: list[Job], described: Experiments) -> dict[str, Rank]:
    """Return the ranks of jobs that give rows results, by the first block with such a row, and of jobs none needs."""
    blocks = {block: number for number, block in enumerate(described.blocks)}
    blocks.setdefault("A", len(blocks))  # always there
    block_of: dict[str, int] = {}
    for row in rows_of(described):
        for system in (row.system, row.baseline, row.oracle):
            block_of[system] = min(block_of.get(system, len(blocks)), blocks[row.block])
    seen, ranks = set[str](), dict[str, Rank]()
    for job in jobs:
        if job.command[0] == "steps/decode.py":
            system = job.command[job.command.index("--system") + 1]
            ranks[job.name] = (system in seen, block_of.get(system, len(blocks)))
            seen.add(system)
    ends = {job.name for job in jobs} - {need for job in jobs for need in job.needs} - ranks.keys()
    return ranks | dict.fromkeys(ends, (False, len(blocks)))
