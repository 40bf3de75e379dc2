"""One command as several processes that torchrun started, its ranks: who am I, and what do the others have.

Without torchrun there is one rank, and nothing is sent. Messages between ranks go over gloo, on the CPU; what a
training sends from GPU to GPU has a group of its own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Listener
from typing import Any, TypeVar

from understudy.stage.errors import UserError
from understudy.stage.watch import Watch, named

Value = TypeVar("Value")

# One rank may work alone for long (inputs are read through, dev is searched): Watch finds those that are lost.
_TIMEOUT = timedelta(hours=6)


def rank() -> int:
    """Number of this process among all; only number 0 writes."""
    return int(os.environ.get("RANK", 0)) if count() > 1 else 0


def count() -> int:
    """Processes of the job, on all machines."""
    return int(os.environ.get("WORLD_SIZE", 1))


def local() -> int:
    """Number of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", 0)) if count() > 1 else 0


@contextmanager
def together(allowed: bool) -> Iterator[None]:
    """Meet the other ranks; leave when all are done. If one fails or dies, the others say so and end.

    Args:
        allowed: whether the command can be run in several processes.

    Raises:
        UserError: it cannot, and is.
    """
    if count() == 1:
        yield
        return
    if not allowed:
        raise UserError("this step is one process: start it without torchrun")
    import torch.distributed as dist  # most commands need no torch

    dist.init_process_group("gloo", timeout=_TIMEOUT)
    watch = _watch()
    try:
        yield
        dist.barrier()
    except BaseException as error:
        # A rank that is lost breaks collectives of the others before they have heard of it.
        if watch.lost.wait(0.0 if isinstance(error, UserError) else 2.0):
            watch.wait_for_end()
        watch.end(f"{named(rank())} failed ({type(error).__name__}: {error})")
        raise
    watch.end()
    dist.destroy_process_group()


def _watch() -> Watch:
    if rank() > 0:
        return Watch.connect(rank(), os.environ["MASTER_ADDR"], *tell())
    key = secrets.token_bytes(16)
    listener = Listener(("0.0.0.0", 0), authkey=key, backlog=count())
    tell((listener.address[1], key, named(0)))
    return Watch.listen(listener, count())


def tell(value: Value | None = None) -> Value:
    """What rank 0 says, at every rank."""
    if count() == 1:
        return value
    import torch.distributed as dist

    box: list[Any] = [value]
    dist.broadcast_object_list(box, 0)
    return box[0]


def gather(value: Value) -> list[Value]:
    """Every rank's value, at every rank."""
    if count() == 1:
        return [value]
    import torch.distributed as dist

    values: list[Any] = [None] * count()
    dist.all_gather_object(values, value)
    return values


def total(values: list[float]) -> list[float]:
    """Sums over all ranks, the same bits at each."""
    if count() == 1:
        return values
    import torch
    import torch.distributed as dist

    sums = torch.tensor(values, dtype=torch.double)
    dist.all_reduce(sums)
    return sums.tolist()
