"""Lines of a text file, with their numbers: what all readers of tables begin with."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from understudy.step import UserError, decoded


def read_text(path: Path) -> str:
    """A text file, packed by gzip or not, without a byte-order mark; UTF-16 by its mark, else UTF-8.

    Raises:
        UserError: it is not there, or not of this encoding.
    """
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"{path}: cannot be read ({reason}).") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return decoded(path, data, encoding)


def numbered(path: Path) -> Iterator[tuple[str, str]]:
    """`file, line 3` and the line, of all that are not empty; they end at line feeds alone. Raises as `read_text`."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield f"{path}, line {number}", line.rstrip("\r")


def number_in(value: str, what: str, where: str) -> float:
    """Raise UserError where it is none."""
    try:
        return float(value)
    except ValueError:
        raise UserError(f"{where}: {what} must be a number, got {value!r}.") from None
