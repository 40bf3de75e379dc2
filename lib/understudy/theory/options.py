"""Options of the simulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.parallel.options import ClusterOptions
from understudy.step import UserError


@dataclass
class SimulationOptions:
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
