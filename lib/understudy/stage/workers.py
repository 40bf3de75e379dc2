"""Work shared out to processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_processes(work: Callable[[Task], Result], tasks: Iterable[Task], jobs: int) -> Iterator[Result]:
    """`work` of each task, in their order; few tasks are taken ahead, so that a long list never is in memory.

    The processes are spawned, each with one torch thread, and end by themselves when this one is killed: nothing goes
    on writing into a folder that another run has taken over. One job: no processes.
    """
    if jobs <= 1:
        yield from map(work, tasks)
        return
    context, tasks = multiprocessing.get_context("spawn"), iter(tasks)
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(os.getpid(),)) as pool:
        waiting = deque(pool.submit(work, task) for task in islice(tasks, 4 * jobs))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(work, task) for task in islice(tasks, 1))
            yield result


def _begin(parent: int) -> None:
    import torch  # not every command needs it

    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
