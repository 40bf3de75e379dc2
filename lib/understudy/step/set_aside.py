"""Setting aside of outputs that were made from other options or inputs: nobody's work is deleted unasked.

What took long is set aside under a name that says when and why; what was quick is removed. `--replace true`, or a yes
on the terminal, removes what took long, too.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from understudy.step.status import BEGUN, Status

LONG = 60.0
"""seconds of work from which an output is set aside (our choice)"""
FOLDER = "set-aside"


def seconds_of(folder: Path, status: Status) -> float:
    """Return how long the work in a folder took: what its step recorded, or from its beginning to its last file."""
    if "seconds" in status.values:
        return status.values["seconds"]
    try:
        begun = status.values.get("begun") or (folder / BEGUN).stat().st_mtime
    except FileNotFoundError:  # finished before steps recorded how long they took
        begun = min((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
    return max((path.stat().st_mtime for path in folder.rglob("*")), default=begun) - begun


def may_remove(folder: Path, seconds: float, replace: bool) -> bool:
    """Whether the work may be removed: it was quick, or the user agrees."""
    if replace or seconds < LONG:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"{folder}: took {_told(seconds)} to make, with other options. Delete it? [y/N] ", end="", file=sys.stderr)
    return input().strip().lower() in ("y", "yes")


def set_aside(folder: Path, owner: str, changed: list[str]) -> Path:
    """Rename a folder to `set-aside/<name>-<when>-<why>` beside it, and make an empty one in its place.

    Args:
        owner: name of the file that names the folder's owner: it stays.
        changed: what differs; the first entry gives the reason in the name.

    Returns:
        The folder's new name.
    """
    why = re.sub(r"[^\w.]+", "-", changed[0].split(":")[0].removeprefix("option ").removeprefix("input "))[-40:]
    aside = folder.parent / FOLDER / f"{folder.name}-{time.strftime('%Y%m%d-%H%M%S')}-{why.strip('-')}"
    aside.parent.mkdir(exist_ok=True)
    folder.rename(aside)
    folder.mkdir()
    if (aside / owner).exists():
        (aside / owner).rename(folder / owner)
    return aside


def still_in_use(folder: Path, name: str) -> list[Path]:
    """Return the files of a name anywhere below a folder, sorted, without those that were set aside."""
    return sorted(path for path in folder.rglob(name) if FOLDER not in path.relative_to(folder).parts)


def remove(folder: Path, keep: Iterable[str]) -> None:
    """Remove the contents of a folder but for the files to keep."""
    kept = set(keep)
    for path in list(folder.iterdir()):
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _told(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
