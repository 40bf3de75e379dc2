"""What a step has said of its output folder: that it is done, or begun and not done."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from understudy.step.output import read_json

DONE = ".done.json"
BEGUN = ".begun.json"


class Status(NamedTuple):
    """Of a step's output folder."""

    done: bool
    """otherwise the step is running, was killed, or its output was reopened"""
    values: dict[str, Any]
    """`step`: name of its script; `record`: options and digests of inputs; `code`: digests of the script and of
    what it has beside it; when done, `digest` and `commit`; where the
    output of another record is being removed, `clearing`; `begun` (time) or, when done, `finished` (date and time),
    `command`, `seconds`, `peak_memory_mb`"""


def status_of(folder: Path) -> Status | None:
    """The status of a folder; None: it is no step's output, though it may lie within one."""
    for name in (DONE, BEGUN):  # a run killed while it finished has left both
        if (folder / name).exists():
            return Status(name == DONE, read_json(folder / name))
    return None
