"""Work shared out to processes, by Dask: of this machine, or jobs of a cluster's queue."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from understudy.stage.errors import UserError
from understudy.stage.log import log
from understudy.stage.output import remove_partial
from understudy.stage.step import own_peak_kb

if TYPE_CHECKING:  # takes a second, and most commands have no processes
    from dask_jobqueue.core import JobQueueCluster
    from distributed import Client, Future, LocalCluster

Task = TypeVar("Task")
Result = TypeVar("Result")

_PAUSES = (5.0, 30.0)  # seconds, each before another try of a task that failed at a file: a network disk was away
_DEATHS = 3  # of processes at the same task; the next is one too many
_PATIENCE = 60.0  # seconds between words on how far the work is
_PASSED_ON = ("PYTHONPATH", "MKL_DEBUG_CPU_TYPE")  # to jobs elsewhere, and all that begins with MALLOC_
_TOPIC = "understudy"


@dataclass(frozen=True)
class ClusterOptions:
    """Where processes run."""

    kind: Literal["local", "slurm", "sge", "pbs", "lsf"] = "local"
    """on this machine, or each as a job of a queue (dask-jobqueue)"""
    scheduler: str | None = None
    """address of a Dask scheduler that has workers already, instead"""
    queue: str | None = None
    """name of the queue or partition"""
    memory: str = "4GB"
    """of a job"""
    walltime: str | None = None
    """of a job, as the queue writes it (half an hour where none is given); one that ends is followed by another"""
    directives: list[str] = field(default_factory=list)
    """further lines of a job's head, such as --account=speech or --gres=gpu:1"""
    prologue: list[str] = field(default_factory=list)
    """shell lines before a job's work"""
    interface: str | None = None
    """network interface by which jobs reach this machine"""


class _Done(NamedTuple):
    result: Any
    fault: UserError | None
    cpu_seconds: float
    peak_kb: int


class Workers:
    """Processes that begin with the first work and end with the block: `with Workers(jobs) as workers`.

    One that dies is replaced, and what it did is done again. They end by themselves when this process is killed, so
    that nothing goes on writing into a folder that another run has taken over. One local job: no processes.
    """

    def __init__(
        self, jobs: int, cluster: ClusterOptions | None = None, threads: int = 1, out: Path | None = None
    ) -> None:
        """Nothing begins yet.

        Args:
            jobs: processes.
            threads: of each, for its libraries.
            out: folder that they write to, and nothing else does; what dead ones left there is removed at the end. What
                a queue's jobs say is in `jobs/` of it.
        """
        self.jobs, self.cluster, self.threads, self.out = jobs, cluster or ClusterOptions(), threads, out
        self._elsewhere, self._peak_kb = 0.0, 0  # CPU seconds and memory of other processes
        self._client: Client | None = None
        self._open = ExitStack()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._client is not None:
            self._client.unsubscribe_topic(_TOPIC)  # that they end now is no news
        self._open.close()
        if self.out is not None and kind is None:  # else those of a scheduler of the user's may be writing still
            remove_partial(self.out)

    def map(self, work: Callable[[Task], Result], tasks: Iterable[Task], what: str = "tasks") -> Iterator[Result]:
        """`work` of each task, in their order; few tasks are taken ahead, so that a long list never is in memory.

        Args:
            what: the tasks are, in the log.

        Raises:
            UserError: of a task; or processes died at the same task again and again.
            OSError: of a task, at the third try.
        """
        if self.jobs <= 1 and self.cluster.kind == "local" and not self.cluster.scheduler:
            _use(self.threads)
            yield from (_patiently(work, task, _PAUSES) for task in tasks)
            return
        if self._client is None:
            self._client = self._open.enter_context(self._begin())
        stream = ((_Here(work, os.getcwd(), self.threads, _PAUSES), task) for task in tasks)
        submit = lambda call, task: self._client.submit(call, task, pure=False)  # noqa: E731
        waiting = deque(submit(*one) for one in islice(stream, 4 * self.jobs))
        number = 0
        while waiting:
            done = self._result(waiting.popleft(), number, what)
            self._elsewhere += done.cpu_seconds
            self._peak_kb = max(self._peak_kb, done.peak_kb)
            if done.fault:
                raise done.fault
            waiting.extend(submit(*one) for one in islice(stream, 1))
            yield done.result
            number += 1

    def cpu_seconds(self) -> float:
        """Of this process so far, and of all others in their tasks."""
        return time.process_time() + self._elsewhere

    def peak_memory_mb(self) -> float:
        """The most that this process, or any other, had resident so far."""
        return max(own_peak_kb(), self._peak_kb) / 1024

    def _result(self, future: Future, number: int, what: str) -> _Done:
        from distributed import KilledWorker, TimeoutError, wait

        while True:
            try:
                wait([future], timeout=_PATIENCE)
                return future.result()
            except KilledWorker:
                raise UserError(
                    f"{what}: {_DEATHS + 1} processes died at number {number + 1}. Had they memory enough? (--jobs, or "
                    "--cluster.memory) What is done stays: run it again and it goes on."
                ) from None
            except TimeoutError:
                working = len(self._client.scheduler_info()["workers"])
                log.info("%s: %d are done, %d of %d processes are there", what, number, working, self.jobs)

    def _begin(self) -> Client:
        import dask
        from distributed import Client

        # Dask's own settings of memory and threads would go over those of utils/path.sh.
        ours = {"distributed.nanny.pre-spawn-environ": {}, "distributed.scheduler.allowed-failures": _DEATHS}
        self._open.enter_context(dask.config.set(ours))
        address = self.cluster.scheduler
        if address is None:
            address = self._open.enter_context(self._local() if self.cluster.kind == "local" else self._queue())
        client = Client(address)
        client.register_plugin(_plugin())
        client.subscribe_topic(_TOPIC, lambda event: log.warning("%s", event[1]))
        return client

    def _local(self) -> LocalCluster:
        from distributed import LocalCluster

        return LocalCluster(
            self.jobs, threads_per_worker=1, memory_limit=0, dashboard_address=None, silence_logs=logging.CRITICAL,
            env={"OMP_NUM_THREADS": str(self.threads)},
        )  # fmt: skip

    def _queue(self) -> JobQueueCluster:
        import dask_jobqueue

        one = self.cluster
        passed = {k: v for k, v in os.environ.items() if k in _PASSED_ON or k.startswith("MALLOC_")}
        exports = [f"export {k}={shlex.quote(v)}" for k, v in {**passed, "OMP_NUM_THREADS": str(self.threads)}.items()]
        cluster = getattr(dask_jobqueue, f"{one.kind.upper()}Cluster")(
            queue=one.queue, cores=self.threads, processes=1, memory=one.memory, interface=one.interface,
            job_extra_directives=one.directives, job_script_prologue=[*exports, *one.prologue],
            worker_extra_args=["--nthreads", "1"], log_directory=str((self.out or Path()) / "jobs"),
            **({"walltime": one.walltime} if one.walltime else {}),
        )  # fmt: skip
        cluster.adapt(minimum_jobs=self.jobs, maximum_jobs=self.jobs)  # one that ends or dies is followed by another
        return cluster


@dataclass(frozen=True)
class _Here:
    """A function, in this process's folder wherever it is called."""

    work: Callable[[Any], Any]
    folder: str
    threads: int
    pauses: tuple[float, ...]

    def __call__(self, task: Any) -> _Done:
        _use(self.threads)
        os.chdir(self.folder)  # options may name paths from here
        begun, fault, result = time.process_time(), None, None
        try:
            result = _patiently(self.work, task, self.pauses)
        except UserError as error:  # as a result: it keeps its type, and no traceback of Dask's goes with it
            fault = error
        return _Done(result, fault, time.process_time() - begun, own_peak_kb())


def _patiently(work: Callable[[Task], Result], task: Task, pauses: tuple[float, ...]) -> Result:
    """`work` of a task, once more after each of the pauses where it fails at a file.

    A user's error, such as a full disk, is none of these: waiting does not mend it.
    """
    for pause in pauses:
        try:
            return work(task)
        except OSError as error:
            log.warning("%s: tried again in %.0f s", error, pause)
            time.sleep(pause)
    return work(task)


def _use(threads: int) -> None:
    import torch  # not every command needs it

    torch.set_num_threads(threads)  # the environment's number is not MKL's: the last bits of sums would be others


def _plugin() -> Any:
    from distributed.diagnostics.plugin import SchedulerPlugin

    class Deaths(SchedulerPlugin):
        """Tells of processes that are no more."""

        name = "understudy-deaths"

        def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
            scheduler.log_event(_TOPIC, f"a process ended ({worker}): another takes its place, and does its work again")

    return Deaths()
