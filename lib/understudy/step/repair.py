"""Damaged files of finished steps: they are reported, or removed so that their step makes just these again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from understudy.step.errors import UserError
from understudy.step.step import reopen


class Damage(NamedTuple):
    """The damage in a folder that was checked."""

    files: list[Path]
    """files that are damaged or missing"""
    output: Path
    """output folder of the step that wrote them"""
    step: str
    """name of this step for the message"""


def repair(found: dict[Path, Damage], remove: bool, kind: str) -> None:
    """Remove the damaged files by folder, and say which step to run again.

    Args:
        found: the damage in each folder, which may be none.
        kind: what the files are called.

    Raises:
        UserError: there are damaged files, and they are not to be removed.
    """
    found = {folder: damage for folder, damage in found.items() if damage.files}
    if remove:
        for folder, damage in found.items():
            reopen(damage.output)  # first: a run killed in between must not leave an output that looks whole
            for path in damage.files:
                path.unlink(missing_ok=True)
            print(f"{folder}: removed {len(damage.files)}; run {damage.step} again")
    elif found:
        steps = " and ".join(sorted({damage.step for damage in found.values()}))
        count = sum(len(damage.files) for damage in found.values())
        raise UserError(f"{count} {kind} are damaged or missing: --remove true, then run {steps} again")
