"""What soft targets cost to compute: of each shard in a file beside it, of sets in the report of steps/make_targets.py.

A shard itself says nothing of it: it is the same bytes whenever and wherever it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.step import read_json, write_json


@dataclass
class Cost:
    """Of some shards."""

    cpu: float = 0.0
    """CPU seconds"""
    seconds: float = 0.0
    """of speech"""

    def save(self, folder: Path, shard: int) -> None:
        """Write that of one shard."""
        write_json(_path(folder, shard), {"cpu_s": round(self.cpu, 3), "speech_s": round(self.seconds, 3)})

    def add(self, folder: Path, shard: int) -> None:
        """Add what `save` wrote; nothing, if nothing is there."""
        if (path := _path(folder, shard)).exists():
            told = read_json(path)
            self.cpu, self.seconds = self.cpu + told["cpu_s"], self.seconds + told["speech_s"]

    def per_hour(self) -> float | None:
        """CPU seconds that an hour of speech took; None: nothing is known."""
        return round(3600 * self.cpu / self.seconds, 1) if self.seconds else None


def _path(folder: Path, shard: int) -> Path:
    return folder / f"{shard:05d}.cost.json"


def cpu_seconds_per_hour(folders: list[Path]) -> float | None:
    """CPU seconds that the targets of an hour of speech took; None: not all of them have a report that tells."""
    reports = [folder.parent / "report.json" for folder in folders]
    if not all(report.exists() for report in reports):
        return None
    costs = [read_json(report)[folder.name] for report, folder in zip(reports, folders, strict=True)]
    if any(cost["cpu_s_per_hour"] is None for cost in costs):
        return None
    hours = sum(cost["hours"] for cost in costs)
    return sum(cost["cpu_s_per_hour"] * cost["hours"] for cost in costs) / hours
