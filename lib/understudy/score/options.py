"""Options of the table of experiments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class TableOptions:
    """The table of experiments."""

    results: Path
    """results file that decoding wrote"""
    rows: Path
    """file with lines of `block TAB system TAB baseline TAB oracle`"""
    curves: str = "C"
    """blocks whose names begin so are drawn as learning curves"""
    test_set: str | None = None
    """test set of the table, if there are results of several; none: the only one"""
    out: Path = Path("TABLE.md")
    """file of the table; pictures, results.jsonl and utterances.tsv.gz go to the folder table/ beside it"""
