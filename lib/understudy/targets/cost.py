"""What sets of soft targets cost to compute, as steps/make_targets.py reported it."""

from __future__ import annotations

from pathlib import Path

from understudy.stage import read_json


def cpu_seconds_per_hour(folders: list[Path]) -> float | None:
    """CPU seconds that the targets of an hour of speech took; None: not all of them have a report."""
    reports = [folder.parent / "report.json" for folder in folders]
    if not all(report.exists() for report in reports):
        return None
    costs = [read_json(report)[folder.name] for report, folder in zip(reports, folders, strict=True)]
    hours = sum(cost["hours"] for cost in costs)
    return sum(cost["cpu_s_per_hour"] * cost["hours"] for cost in costs) / hours
