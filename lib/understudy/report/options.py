"""Options of the page of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class PageOptions:
    """The page."""

    exp: Path = Path("exp")
    """folder of models and results"""
    data: Path = Path("data")
    """folder of corpus and features"""
    baseline: str | None = None
    """system to which the WER reductions are relative"""
    systems: list[str] = field(default_factory=list)
    """whose example and mistakes are shown, in this order; default: the teacher, the baseline and the best student"""
    tree: Path | None = None
    """folder of the tree; default: <exp>/tree"""
    graph: Path | None = None
    """folder of the graph, for its lexicon; default: <exp>/graph"""
    out: Path | None = None
    """default: <exp>/report.html"""
