"""Running of a simulation's grid, unit by unit; a killed run resumes after the units that it finished."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from understudy.parallel.workers import Workers
from understudy.step import atomic_path, log, to_json
from understudy.theory.options import SimulationOptions
from understudy.theory.simulate import Unit, grid, simulate


def run_grid(options: SimulationOptions, out: Path) -> None:
    """Simulate all units, with a file for each, from which a killed run resumes; then write cells.jsonl from all."""
    units = list(enumerate(grid(options.labels, options.noises, options.ratios)))
    todo = [unit for unit in units if not _path(out, unit[0]).exists()]
    if len(todo) < len(units):
        log.info("resumed: %d of %d units were there", len(units) - len(todo), len(units))
    work = partial(_simulate, out=out, seeds=options.seeds, seed=options.seed)
    with Workers(options.jobs, options.cluster, out=out) as workers:
        for count, number in enumerate(workers.map(work, todo, "units"), 1):
            if count % 10 == 0 or count == len(todo):
                log.info("unit %d: %d of %d done", number, count, len(todo))
    with atomic_path(out / "cells.jsonl") as partial_path:
        partial_path.write_text("".join(_path(out, number).read_text() for number, _ in units))


def _simulate(task: tuple[int, Unit], out: Path, seeds: int, seed: int) -> int:
    number, unit = task
    with atomic_path(_path(out, number)) as partial_path:
        partial_path.write_text(
            "".join(to_json(cell.line(), f"unit {number}") + "\n" for cell in simulate(unit, seeds, seed))
        )
    return number


def _path(out: Path, number: int) -> Path:
    return out / "units" / f"{number:03d}.jsonl"
