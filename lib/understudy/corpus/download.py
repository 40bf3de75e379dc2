"""Public corpora: an archive is fetched, checked and unpacked, whole or not at all.

What a broken or killed download has fetched stays beside, as `<name>.part`, and is gone on with, by Lhotse's
`resumable_download`: it is installed, and asks for ranges of bytes. pooch 1.9 and torch.hub begin anew, and pooch
brings requests and platformdirs. What Lhotse leaves to its caller is done here: a server that has no ranges, or another
file by now, whose bytes it would append to the old ones; a connection that ends too soon, which it takes for the end of
the file; a server that says nothing more; and the publisher's digest.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import socket
import tarfile
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

from understudy.step import UserError, log

_BLOCK = 1 << 20
_SILENCE = 60.0
"""seconds after which a server that sends nothing is given up"""
_TRIES = 5
"""in a row that fetch nothing, before the download is"""
_PAUSE = 2.0
"""seconds before the second try, doubled for each that follows"""


@dataclass(frozen=True)
class Archive:
    """A public .tar.gz and what is in it."""

    url: str
    folder: str
    """What it unpacks to ("an4", "LibriSpeech/dev-clean-2"); anything beside it in the archive is left out."""
    min_bytes: int
    """Less than this is not the archive, but a page that says why there is none."""
    digest: str = ""
    """As its publisher tells it, its kind (of hashlib, such as md5) and a colon before it; empty where none is known"""
    digests: str = ""
    """Where the publisher lists digests of MD5, as md5sum writes them; empty where that is not known"""

    @property
    def name(self) -> str:
        """Of its file."""
        return self.url.rsplit("/", 1)[-1]


def fetched(archive: Archive, parent: Path) -> Path:
    """The folder of an archive under `parent`; fetched and unpacked if it is not there yet.

    An archive that already lies in `parent` is not fetched again.

    Raises:
        UserError: it cannot be fetched, is not the archive that its publisher tells of, or cannot be unpacked.
    """
    folder = parent / archive.folder
    if not folder.is_dir():
        unpack(download(archive, parent), parent, archive.folder)
    return folder


def download(archive: Archive, parent: Path) -> Path:
    """Fetch the archive into `parent`, under its name once it is whole and what its publisher tells of.

    Raises:
        UserError: as `fetched`. What was fetched is kept, unless it is something else.
    """
    path = parent / archive.name
    if path.exists():
        _check_digest(archive, path, path)
        return path
    parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    hint = f"Fetch it elsewhere, put it at {path} or unpack it and give --corpus-dir."
    try:
        _fetch(archive.url, partial)
        if (size := partial.stat().st_size) < archive.min_bytes:
            _forget(partial)
            raise UserError(f"{archive.url}: must have {archive.min_bytes} bytes at least, got {size}. {hint}")
        _check_digest(archive, partial, path)
    except (OSError, http.client.HTTPException) as error:
        kept = _size(partial)
        if not kept:
            _forget(partial)
        resume = f"{kept >> 20} MB are kept, and the same command goes on from there. " if kept else ""
        raise UserError(f"{archive.url}: cannot be fetched ({error}). {resume}{hint}") from error
    os.replace(partial, path)
    _version_file(partial).unlink(missing_ok=True)
    return path


@dataclass(frozen=True)
class _Offered:
    """What a server says of a file before it sends it."""

    size: int | None
    """bytes; None: it does not say"""
    version: str
    """changes with the file; empty: it does not say, or has no ranges, so that nothing can be gone on with"""

    @classmethod
    def by(cls, url: str) -> _Offered:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_SILENCE) as reply:
                told = reply.headers
        except HTTPError as error:
            if error.code in (403, 405, 501):  # it may be asked for the file alone
                return cls(None, "")
            raise
        size = told.get("Content-Length")
        ranges = told.get("Accept-Ranges", "none").strip().lower() == "bytes"
        version = f"{told.get('ETag', '')} {told.get('Last-Modified', '')}".strip()
        return cls(int(size) if size else None, version if ranges and size else "")


def _fetch(url: str, partial: Path) -> None:
    """Fetch a file, or what is missing of it, as long as tries bring something. Raises OSError when they do not."""
    failures = 0
    while True:
        before = _size(partial)
        fault: Exception = EOFError("the connection ended too soon")
        try:
            if _rest(url, partial):
                return
        except HTTPError:
            raise
        except (OSError, http.client.HTTPException) as error:
            fault = error
        failures = 0 if _size(partial) > before else failures + 1
        if failures == _TRIES:
            raise OSError(f"{_TRIES} tries in a row brought nothing: {fault}")
        log.warning("%s: broke off at %d MB (%s); tried again", url, _size(partial) >> 20, fault)
        time.sleep(_PAUSE * 2 ** max(failures - 1, 0))


def _rest(url: str, partial: Path) -> bool:
    """Fetch what is missing. Returns whether the file is whole now, as far as the server tells."""
    from lhotse.utils import resumable_download  # heavy

    offered = _Offered.by(url)
    if (kept := _size(partial)) and (not offered.version or _known_version(partial) != offered.version):
        log.warning("%s: cannot be gone on with, as it has no ranges or has changed; fetched anew", url)
        kept = 0
    if not kept:
        _forget(partial)
        _version_file(partial).write_text(offered.version)
    told = f"of {offered.size >> 20} MB" if offered.size else "of a file of unknown size"
    log.info("fetching %s: %d MB %s are there", url, kept >> 20, told)
    with _patience(_SILENCE):
        resumable_download(url, partial, completed_file_size=offered.size)
    if offered.size is not None and _size(partial) > offered.size:  # it did not keep to the range after all
        _forget(partial)
        raise OSError(f"more than the {offered.size} bytes that it told of")
    return offered.size is None or _size(partial) == offered.size


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _version_file(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.version")


def _known_version(partial: Path) -> str:
    """Of the file that `partial` was begun from."""
    path = _version_file(partial)
    return path.read_text() if path.exists() else ""


def _forget(partial: Path) -> None:
    for path in (partial, _version_file(partial)):
        path.unlink(missing_ok=True)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Within it a connection that brings nothing for so long is an error: Lhotse's has no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _check_digest(archive: Archive, file: Path, path: Path) -> None:
    """Raise UserError where a file is not what its publisher tells of; one that was fetched now is removed."""
    kind, _, told = archive.digest.partition(":")
    if not told and file != path:
        kind, told = "md5", _listed(archive)
    if not told:
        return
    found = hashlib.new(kind, usedforsecurity=False)
    with file.open("rb") as whole:
        while block := whole.read(_BLOCK):
            found.update(block)
    if found.hexdigest() != told.lower():
        way_out = "It is removed: run again." if file != path else "Remove it and run again."
        if file != path:
            _forget(file)
        raise UserError(
            f"{file}: its {kind} must be {told}, as its publisher tells, got {found.hexdigest()}. {way_out}"
        )
    log.info("%s: its %s is what its publisher tells", path, kind)


def _listed(archive: Archive) -> str:
    """The digest in the publisher's list; empty where it is not to be had, which is said."""
    if not archive.digests:
        return ""
    try:
        with urllib.request.urlopen(archive.digests, timeout=_SILENCE) as reply:
            lines = reply.read().decode().splitlines()
    except (OSError, ValueError, http.client.HTTPException) as error:
        log.warning("%s: cannot be read (%s), so that %s is not held against it", archive.digests, error, archive.name)
        return ""
    fields = [line.split() for line in lines]
    found = [one[0] for one in fields if len(one) == 2 and one[1].lstrip("*./") == archive.name]
    if not found:
        log.warning("%s: has no %s, which is not held against it", archive.digests, archive.name)
    return found[0] if found else ""


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
