"""Whether a stream's files are those that were written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from understudy.shar import layout
from understudy.step import UserError, fingerprint, read_json


def damaged(folder: Path) -> Iterator[tuple[Path, str]]:
    """Read all files of a stream; yield those that are not what `write_shar` wrote, and what is wrong with each.

    Raises:
        UserError: shar.json is missing or damaged.
    """
    about = read_json(folder / layout.ABOUT)
    for number in range(len(about["cuts"])):
        try:
            sums = read_json(path := layout.sums(folder, number))
        except (UserError, OSError, UnicodeDecodeError) as error:
            yield path, f"no checksums of this shard: {error}"
        else:
            yield from _differing(folder, sums)
    yield from _differing(folder, about.get("sums", {}))


def _differing(folder: Path, sums: dict[str, str]) -> Iterator[tuple[Path, str]]:
    for name, written in sums.items():
        try:
            found = fingerprint.of_file(folder / name)
        except OSError as error:
            yield folder / name, f"it cannot be read ({error.strerror})"
        else:
            if found != written:
                yield folder / name, f"its checksum is {found}, what was written had {written}"
