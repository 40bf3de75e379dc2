#!/usr/bin/env python3
"""Compute the disk, cores and GPUs that the method takes at a scale, from measured figures and named assumptions.

e.g.: steps/report_capacity.py --figures docs/capacity.yaml --out docs/capacity.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.step import UserError, atomic_path, command


@dataclass
class Options:
    """The capacity page."""

    figures: Path = Path("docs/capacity.yaml")
    """measured figures, assumptions and scales"""
    out: Path = Path("docs/capacity.md")
    """the page"""


def run(options: Options) -> None:
    """Read, compute, write."""
    import yaml

    from understudy.report.capacity import capacity_report

    try:
        told = yaml.safe_load(options.figures.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{options.figures}: {error}") from error
    if not isinstance(told, dict):
        raise UserError(f"{options.figures}: not as docs/capacity.yaml")
    text = capacity_report(told, str(options.figures), options.figures.name)
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    print(text)


if __name__ == "__main__":
    command(Options, run)
