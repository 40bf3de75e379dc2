"""Atomic writing: files are either whole or not there. Also reading and writing of JSON."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from understudy.step.errors import UserError
from understudy.step.log import few, log

_PARTIAL = ".partial-"
_UMASK = os.umask(0o022)
os.umask(_UMASK)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` when the block ends without an error.

    The temporary name keeps all suffixes (writers choose the format by them). On failure it is removed.

    Raises:
        UserError: the disk is full; nothing that was whole before is lost.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name}")
    try:
        with _full_disk_told(path):
            yield partial
            _settle(partial)
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_paths(paths: list[Path], beside: Path) -> Iterator[Path]:
    """Yield a folder in `beside` for files of these names; rename each to its path when the block ends without error.

    They are renamed in order, once all are on disk: if the last one is there, and was not before, all are.

    Raises:
        UserError: the disk is full.
    """
    beside.mkdir(parents=True, exist_ok=True)
    with _full_disk_told(beside), TemporaryDirectory(prefix=_PARTIAL, dir=beside) as name:
        yield (folder := Path(name))
        for path in paths:
            _settle(folder / path.name)
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / path.name, path)


def _settle(partial: Path) -> None:
    """Flush a file's data to disk, where it must be before its name is, and set its permissions."""
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    os.chmod(partial, 0o666 & ~_UMASK)  # some writers make files that only their owner can read


@contextmanager
def _full_disk_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{path}: no space left on the disk. Free some and run the same command again: "
                "it resumes, nothing finished is lost."
            ) from error
        raise


def remove_partial(folder: Path) -> None:
    """Remove unfinished files of killed processes below a folder that nobody writes to now."""
    for path in list(folder.rglob(f"{_PARTIAL}*")):  # a list: folders disappear while it is walked
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_path(path) as partial:
        partial.write_text(to_json(value, str(path), indent=1, default=str) + "\n")


def to_json(value: Any, name: str = "a line", **how: Any) -> str:
    """Return `value` as JSON, with null for infinity and NaN, which JSON does not have (RFC 8259, section 6).

    A caller that expects such a case passes None; an unexpected one is warned of here, so that the rest of `value`,
    perhaps hours of work, is not lost.

    Args:
        name: name of what is written, for the warning.
        how: options of `json.dumps`.
    """
    try:
        return json.dumps(value, allow_nan=False, **how)
    except ValueError:
        missing: list[str] = []
        told = _finite(value, "", missing)
    log.warning("%s: %s, which JSON does not have; null stands there", name, few(missing))
    return json.dumps(told, allow_nan=False, **how)


def _finite(value: Any, where: str, missing: list[str]) -> Any:
    """Return the value with None for infinity and NaN; add to `missing` where each was, and which."""
    if isinstance(value, dict):
        return {key: _finite(one, f"{where}.{key}".lstrip("."), missing) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one, f"{where}[{at}]", missing) for at, one in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        missing.append(f"{where or 'the value'} is {value}")
        return None
    return value


def of_json(text: str) -> Any:
    """Return the value of JSON text; `NaN` and `Infinity`, which versions before 0.3 wrote, become None.

    Raises:
        json.JSONDecodeError: the text is not JSON.
    """
    return json.loads(text, parse_constant=lambda _: None)


def decoded(path: Path, data: bytes, encoding: str = "utf-8-sig") -> str:
    """Decode the bytes of a file, without a byte-order mark.

    Raises:
        UserError: they are in another encoding.
    """
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: must be UTF-8, and is not at byte {error.start}. Convert it with iconv.") from None


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing or not JSON; the file and the line are named.
    """
    try:
        return of_json(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Run the stage that makes it first.") from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno}: not JSON ({error.msg}). Remove it and rerun its stage."
        ) from None
