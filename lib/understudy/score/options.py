"""Options of the table of a grid of experiments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class TableOptions:
    """The table."""

    results: Path
    """lines that decoding wrote"""
    rows: Path
    """lines of `block TAB system TAB baseline TAB oracle`"""
    curves: str = "C"
    """blocks whose names begin so are drawn as learning curves"""
    test_set: str | None = None
    """the set that it is of, where there are results of several; none: of the one that there is"""
    out: Path = Path("TABLE.md")
    """the table; pictures, results.jsonl and utterances.tsv.gz go to the folder table/ beside it"""
