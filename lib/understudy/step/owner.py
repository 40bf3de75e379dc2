"""Ownership of a folder: one process at a time writes into it, on whatever machine, and a dead one owns nothing.

The owner is named in a file in the folder, which it touches as long as it lives. A process of this machine owns nothing
once it is gone; one of another machine, which cannot be looked up, once its file has not been touched for `STALE`
seconds (by the clock of the disk that both see).
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from understudy.step.errors import UserError

OWNER = ".owner.json"
TOUCHED = 20.0
"""seconds between two touches of the owner's file"""
STALE = 300.0
"""seconds after which an owner on another machine counts as dead: a machine may be slow, or its network down"""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Own a folder, which is made if need be, until the block ends.

    Raises:
        UserError: another process owns the folder; its machine, process id and starting time are named.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / OWNER
    _take(path)
    over = threading.Event()
    threading.Thread(target=_touch, args=(path, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        if _is_mine(path):
            path.unlink(missing_ok=True)


def _take(path: Path) -> None:
    mine = path.with_name(f"{OWNER}-{socket.gethostname()}-{os.getpid()}")
    mine.write_text(json.dumps(_me()))
    try:
        while True:
            try:
                os.link(mine, path)  # fails if the file is there, on network disks too
                return
            except FileExistsError:
                if (owner := _read(path)) and not _is_dead(path, owner, mine):
                    raise UserError(_told(path.parent, owner)) from None
                _remove_dead(path, owner, path.with_name(f"{mine.name}-dead"))
    finally:
        mine.unlink(missing_ok=True)
        path.with_name(f"{mine.name}-dead").unlink(missing_ok=True)


def _remove_dead(path: Path, owner: dict[str, Any] | None, dead: Path) -> None:
    """Remove the file of a dead owner; a file that another process has meanwhile put in its place is put back."""
    with suppress(FileNotFoundError):  # another process was first
        path.rename(dead)
        if _read(dead) != owner:
            with suppress(FileExistsError):
                os.link(dead, path)


def _me() -> dict[str, Any]:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"machine": socket.gethostname(), "process": os.getpid(), "born": _born(os.getpid()), "since": since}


def _born(process: int) -> float | None:
    """Return when a process of this machine began, to tell it from a later one of the same id; None: it is gone."""
    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.NoSuchProcess:
        return None


def _read(path: Path) -> dict[str, Any] | None:
    """Read an owner's file; None: it has just gone, or is not whole, as after the machine lost power."""
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError):
        return None


def _is_dead(path: Path, owner: dict[str, Any], mine: Path) -> bool:
    if owner["machine"] == socket.gethostname():
        return _born(owner["process"]) != owner["born"]
    os.utime(mine)  # the time is that of the disk's clock, whatever the machines' clocks say
    try:
        return mine.stat().st_mtime - path.stat().st_mtime > STALE
    except FileNotFoundError:
        return True


def _is_mine(path: Path) -> bool:
    owner = _read(path)
    return owner is not None and (owner["machine"], owner["process"]) == (socket.gethostname(), os.getpid())


def _told(folder: Path, owner: dict[str, Any]) -> str:
    way_out = f"Wait for it, choose another --out, or, if that process is no more, remove {folder / OWNER}."
    writer = f"process {owner['process']} on {owner['machine']}"
    return f"{folder}: {writer} has been writing there since {owner['since']}. {way_out}"


def _touch(path: Path, over: threading.Event) -> None:
    while not over.wait(TOUCHED):
        with suppress(OSError):
            os.utime(path)
