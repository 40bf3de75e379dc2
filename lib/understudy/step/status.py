"""Status of a step's output folder: done, or begun and not done."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from understudy.step.output import read_json

DONE = ".done.json"
BEGUN = ".begun.json"


class Status(NamedTuple):
    """The status of a step's output folder."""

    done: bool
    """whether the step is done; otherwise it is running, was killed, or its output was reopened"""
    values: dict[str, Any]
    """`step`: name of its script; `record`: options and digests of inputs; `code`: digests of the script and of the
    modules beside it; `clearing` while the output of another record is being removed; `begun` (time) or, when done,
    `digest`, `commit`, `finished` (date and time), `command`, `seconds`, `peak_memory_mb`"""


def status_of(folder: Path) -> Status | None:
    """Return the status of a folder; None: it is no step's output, though it may lie within one."""
    for name in (DONE, BEGUN):  # a run killed while finishing has left both
        if (folder / name).exists():
            return Status(name == DONE, read_json(folder / name))
    return None
