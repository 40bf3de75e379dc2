#!/usr/bin/env python3
"""Simulate teachers and students on data with known truth, over a grid of n, N, noise and capacities.

e.g.: steps/simulate_distillation.py --seeds 24 --out exp/simulation
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.theory.options import SimulationOptions


def run(options: SimulationOptions, step: Step) -> None:
    """Write a file for each unit of work, which a resumed run does not repeat, then all units in one file."""
    from understudy.theory.run import run_grid

    run_grid(options, step.out)


if __name__ == "__main__":
    main(SimulationOptions, run, unfingerprinted=("jobs", "cluster"))
