"""Options of the simulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.parallel.options import ClusterOptions
from understudy.step import UserError


@dataclass
class SimulationOptions:
    """The simulation, block D."""

    out: Path
    """folder of cells.jsonl, a line for each cell of the grid"""
    labels: list[int] = field(default_factory=lambda: [64, 128, 256, 512, 1024, 2048, 4096])
    """numbers of labels, n"""
    noises: list[float] = field(default_factory=lambda: [0.25, 0.5, 1.0])
    """standard deviations of the values' noise; the truth's norm is 1"""
    ratios: list[float] = field(default_factory=lambda: [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64])
    """ratios N/n of unlabelled inputs to labels"""
    seeds: PositiveInt = 24
    """seeds of each cell; intervals are over these"""
    seed: int = 1
    """seed of the whole simulation, from which those of the cells derive"""
    jobs: PositiveInt = 1
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where the processes run"""

    def __post_init__(self) -> None:
        """Raise UserError where there are too few seeds for an interval."""
        if self.seeds < 2:
            raise UserError(f"--seeds {self.seeds}: an interval takes two at least")
