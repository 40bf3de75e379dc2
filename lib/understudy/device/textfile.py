"""A user's text file, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .errors import DeviceError

_COMMENT = re.compile(r"(^|\s)#.*")


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield where each line stands (path:number) and its text, without empty lines and what follows a # before a word.

    Raises:
        DeviceError: the file cannot be read, or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeviceError(f"{path}: not UTF-8 (byte {error.start}). Convert it with iconv.") from None
    except OSError as error:
        raise DeviceError(f"{path}: cannot be read ({error.strerror})") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line := _COMMENT.sub("", line).strip():
            yield f"{path}:{number}", line
