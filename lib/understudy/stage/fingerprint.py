"""What a finished output was made from, so that nothing stale is ever trusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from understudy.stage.errors import UserError
from understudy.stage.marks import Mark, mark_of


def of_file(path: Path) -> str:
    """Digest of a file's content, or of a finished step's record where `path` is its folder or a folder in that.

    Inside the folder of a finished step the file's content is what counts, so that rerunning a step
    with the same result does not invalidate what follows.

    Raises:
        UserError: `path` is the folder of a step that is not finished, or a folder in that.
    """
    if path.is_dir():
        if mark := finished(path):
            return mark.values["digest"]
        if mark := finished(path.parent):
            return _digest([mark.values["digest"], path.name])
        return _digest(sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*") if p.is_file()))
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()[:16]


def finished(folder: Path) -> Mark | None:
    """The mark of a finished step's output folder; None: it is no step's.

    Raises:
        UserError: its step is not finished.
    """
    mark = mark_of(folder)
    if mark and not mark.done:
        raise UserError(f"{folder}: its step is not finished: run it again first")
    return mark


def of_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """`of_file` of each, empty for what is not there (whoever reads it will say so): what a process may keep loaded."""
    return tuple(of_file(path) if path.exists() else "" for path in paths)


def digest(values: dict[str, Any]) -> str:
    """One digest for options and inputs."""
    return _digest(values)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """`name: old -> new` for each entry that differs."""
    return [f"{k}: {old.get(k)} -> {new.get(k)}" for k in sorted(old.keys() | new.keys()) if old.get(k) != new.get(k)]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
