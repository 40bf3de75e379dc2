#!/usr/bin/env python3
"""Simulate teachers and students on data with known truth, over a grid of n, N, noise and capacities.

e.g.: steps/simulate_distillation.py --seeds 24 --out exp/simulation
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.stage import Step, UserError, atomic_path, log, main
from understudy.stage.workers import ClusterOptions, Workers
from understudy.theory.simulate import Unit, grid, simulate


@dataclass
class Options:
    """Block D: the simulation."""

    out: Path
    """folder of cells.jsonl, a line for each cell of the grid"""
    labels: list[int] = field(default_factory=lambda: [64, 128, 256, 512, 1024, 2048, 4096])
    """n"""
    noises: list[float] = field(default_factory=lambda: [0.25, 0.5, 1.0])
    """standard deviations of the values' noise; the truth's norm is 1"""
    ratios: list[float] = field(default_factory=lambda: [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64])
    """N/n, of unlabelled inputs to labels"""
    seeds: PositiveInt = 24
    """seeds of each cell; intervals are over these"""
    seed: int = 1
    """where they begin"""
    jobs: PositiveInt = 1
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError for a number that makes no sense."""
        if self.seeds < 2:
            raise UserError(f"--seeds {self.seeds}: an interval takes two at least")


def run(options: Options, step: Step) -> None:
    """A file for each unit, which is what a killed run need not do again; then all in one."""
    units = list(enumerate(grid(options.labels, options.noises, options.ratios)))
    todo = [unit for unit in units if not _path(step.out, unit[0]).exists()]
    if len(todo) < len(units):
        log.info("resumed: %d of %d units were there", len(units) - len(todo), len(units))
    work = partial(_simulate, out=step.out, seeds=options.seeds, seed=options.seed)
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        for count, number in enumerate(workers.map(work, todo, "units"), 1):
            if count % 10 == 0 or count == len(todo):
                log.info("unit %d: %d of %d done", number, count, len(todo))
    with atomic_path(step.out / "cells.jsonl") as partial_path:
        partial_path.write_text("".join(_path(step.out, number).read_text() for number, _ in units))


def _simulate(task: tuple[int, Unit], out: Path, seeds: int, seed: int) -> int:
    number, unit = task
    with atomic_path(_path(out, number)) as partial_path:
        partial_path.write_text("".join(json.dumps(cell.line()) + "\n" for cell in simulate(unit, seeds, seed)))
    return number


def _path(out: Path, number: int) -> Path:
    return out / "units" / f"{number:03d}.jsonl"


if __name__ == "__main__":
    main(Options, run, unfingerprinted=("jobs", "cluster"))
