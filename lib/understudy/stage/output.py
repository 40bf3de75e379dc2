"""Files that are either whole or not there."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.stage.errors import UserError

_PARTIAL = ".partial-"
_UMASK = os.umask(0o022)
os.umask(_UMASK)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` when the block ends well.

    The temporary name keeps all suffixes (writers choose the format by them). On failure it is removed.

    Raises:
        UserError: the disk is full; nothing that was whole before is lost.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name}")
    try:
        yield partial
        with open(partial, "rb") as file:  # the data must be on disk before the name is
            os.fsync(file.fileno())
        os.chmod(partial, 0o666 & ~_UMASK)  # some writers make files that only their owner reads
        os.replace(partial, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{path}: no space left on the disk. Free some and run the same command again: "
                "it resumes, nothing finished is lost."
            ) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def remove_partial(folder: Path) -> None:
    """Remove what killed processes were writing below a folder that nothing else writes to now."""
    for path in list(folder.rglob(f"{_PARTIAL}*")):  # a list: folders go while it is walked
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(value, indent=1, default=str) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises:
        UserError: it is missing or not JSON; the file and the line are named.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Run the stage that makes it first.") from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno}: not JSON ({error.msg}). Remove it and rerun its stage."
        ) from None
