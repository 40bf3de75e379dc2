"""Ranks, that is, the processes of one command that torchrun started: their numbers, and messages between them.

Without torchrun there is one rank, and nothing is sent. Messages between ranks go over gloo, on the CPU; what a
training sends from GPU to GPU has a group of its own.

Neither gloo, nor NCCL, nor the stores by which ranks find one another authenticate them. So the ranks of one machine
listen on its loopback alone, and meet in a file; on several machines, whoever reaches the ports is trusted.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any, TypeVar

import psutil

from understudy.step.errors import UserError
from understudy.step.rank_monitor import RankMonitor, named

Value = TypeVar("Value")

# One rank may work alone for long (reading inputs, searching dev): RankMonitor finds those that are lost.
_TIMEOUT = timedelta(hours=6)


def rank() -> int:
    """Return the number of this process among all; only number 0 writes."""
    return int(os.environ.get("RANK", 0)) if world_size() > 1 else 0


def world_size() -> int:
    """Return the number of processes of the job, on all machines."""
    return int(os.environ.get("WORLD_SIZE", 1))


def local_rank() -> int:
    """Return the number of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", 0)) if world_size() > 1 else 0


@contextmanager
def joined(allowed: bool) -> Iterator[None]:
    """Meet the other ranks; leave when all are done. If one fails or dies, the others report it and end.

    Args:
        allowed: whether the command can be run in several processes.

    Raises:
        UserError: it is run in several processes, and cannot be.
    """
    if world_size() == 1:
        yield
        return
    if not allowed:
        raise UserError("this step is one process: start it without torchrun")
    import torch.distributed as dist  # most commands need no torch

    if _one_machine():
        for library in ("GLOO", "NCCL"):
            os.environ[f"{library}_SOCKET_IFNAME"] = _loopback()
    met = f"file://{_meeting()}" if _one_machine() else "env://"  # torch's TCP store listens to every network
    dist.init_process_group("gloo", met, timeout=_TIMEOUT, world_size=world_size(), rank=rank())
    watch = _watch()
    try:
        yield
        dist.barrier()
    except BaseException as error:
        # A lost rank breaks the others' collectives before they have been told of it.
        if watch.lost.wait(0.0 if isinstance(error, UserError) else 2.0):
            watch.wait_for_end()
        watch.end(f"{named(rank())} failed ({type(error).__name__}: {error})")
        raise
    watch.end()
    dist.destroy_process_group()


def _one_machine() -> bool:
    return os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"]


def _loopback() -> str:
    named = psutil.net_if_addrs().items()
    return next(name for name, addresses in named if any(one.address == "127.0.0.1" for one in addresses))


def _meeting() -> Path:
    """Return a file that the ranks of one launcher know, in a folder that only they can read; torch removes the file.

    Raises:
        UserError: there is something else of the folder's name.
    """
    folder = Path(tempfile.gettempdir()) / f"understudy-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UserError(f"{folder}: must be a folder that you own and nobody else can read. Remove it, or set TMPDIR.")
    known = ("MASTER_PORT", "TORCHELASTIC_RESTART_COUNT")
    return folder / "-".join(("ranks", str(os.getppid()), *(os.environ[name] for name in known)))


def _watch() -> RankMonitor:
    host = "127.0.0.1" if _one_machine() else os.environ["MASTER_ADDR"]
    if rank() > 0:
        return RankMonitor.connect(rank(), host, *broadcast())
    key = secrets.token_bytes(16)
    listener = Listener((host if _one_machine() else "0.0.0.0", 0), authkey=key, backlog=world_size())
    broadcast((listener.address[1], key, named(0)))
    return RankMonitor.listen(listener, world_size())


def broadcast(value: Value | None = None) -> Value:
    """Return rank 0's value at every rank."""
    box: list[Any] = [value]
    if world_size() > 1:
        import torch.distributed as dist

        dist.broadcast_object_list(box, 0)
    return box[0]


def gather(value: Value) -> list[Value]:
    """Return the values of all ranks, in order, at every rank."""
    if world_size() == 1:
        return [value]
    import torch.distributed as dist

    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def all_reduce(values: list[float]) -> list[float]:
    """Return the sums of values over all ranks, the same bits at each."""
    if world_size() == 1:
        return values
    import torch
    import torch.distributed as dist

    sums = torch.tensor(values, dtype=torch.double)
    dist.all_reduce(sums)
    return sums.tolist()
