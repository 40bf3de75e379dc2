"""Public corpora: an archive is fetched and unpacked, whole or not at all."""

from __future__ import annotations

import gzip
import http.client
import shutil
import tarfile
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from understudy.step import UserError, atomic_path, log

_BLOCK = 1 << 20
_SAID_EVERY = 100 * _BLOCK  # bytes between two lines of progress


@dataclass(frozen=True)
class Archive:
    """A public .tar.gz and what is in it."""

    url: str
    folder: str
    """What it unpacks to ("an4", "LibriSpeech/dev-clean-2"); anything beside it in the archive is left out."""
    min_bytes: int
    """Less than this is not the archive, but a page that says why there is none."""


def fetched(archive: Archive, parent: Path) -> Path:
    """The folder of an archive under `parent`; fetched and unpacked if it is not there yet.

    An archive that already lies in `parent` is not fetched again.

    Raises:
        UserError: it cannot be fetched, is not the archive, or cannot be unpacked.
    """
    folder = parent / archive.folder
    if not folder.is_dir():
        unpack(download(archive, parent), parent, archive.folder)
    return folder


def download(archive: Archive, parent: Path) -> Path:
    """Fetch the archive into `parent`, whole or not at all. Raises UserError as `fetched`."""
    path = parent / archive.url.rsplit("/", 1)[-1]
    if path.exists():
        return path
    log.info("fetching %s", archive.url)
    hint = f"Fetch it elsewhere, put it at {path} or unpack it and give --corpus-dir."
    try:
        with (
            atomic_path(path) as tmp,
            urllib.request.urlopen(archive.url, timeout=60) as reply,
            tmp.open("wb") as file,
        ):
            expected = int(reply.headers.get("Content-Length") or 0)
            size = _copy(reply, file, expected)
            if size != (expected or size) or size < archive.min_bytes:
                raise UserError(f"{archive.url}: {size} of {expected or size} bytes is not the archive. {hint}")
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{archive.url}: cannot be fetched ({error}). {hint}") from error
    return path


def unpack(archive: Path, parent: Path, folder: str) -> None:
    """Unpack into a folder beside, then rename: a killed run leaves no half corpus. Raises UserError as `fetched`."""
    partial = parent / f".partial-{Path(folder).name}"
    shutil.rmtree(partial, ignore_errors=True)
    log.info("unpacking %s", archive)
    try:
        _extract_all(archive, partial)
        if not (partial / folder).is_dir():
            raise ValueError(f"no {folder}/ in it")
        (parent / folder).parent.mkdir(parents=True, exist_ok=True)
        (partial / folder).rename(parent / folder)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise UserError(
            f"{archive}: cannot be unpacked ({error}). Remove it and run again, or give --corpus-dir."
        ) from error
    except OSError as error:  # the archive may be well: the disk is full, or the folder not ours
        raise UserError(
            f"{archive}: cannot be unpacked into {parent} ({error}). Mend that and run again, or give --corpus-dir."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy(source: BinaryIO, target: BinaryIO, expected: int) -> int:
    """Copy all bytes, with a line of progress now and then. Returns their number."""
    size = 0
    while block := source.read(_BLOCK):
        target.write(block)
        if size // _SAID_EVERY < (size + len(block)) // _SAID_EVERY:
            log.info("%d MB of %s", (size + len(block)) >> 20, f"{expected >> 20} MB" if expected else "unknown size")
        size += len(block)
    return size


def _extract_all(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as packed:
        for member in packed:
            _extract(packed, member, folder)
        # A tar may end before its file does; the checksum of the whole stands at the very end.
        while packed.fileobj.read(_BLOCK):
            pass


def _extract(packed: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise ValueError(f"{member.name} would be written outside")
    if member.isfile() and (source := packed.extractfile(member)) is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    elif not member.isdir():
        log.warning("%s: %s is neither a file nor a folder, left out", packed.name, member.name)
