"""Work shared out to processes, by Dask: of this machine, or jobs of a cluster's queue."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from understudy.parallel import credentials
from understudy.parallel.options import ClusterOptions
from understudy.step.errors import UserError
from understudy.step.log import log
from understudy.step.output import remove_partial
from understudy.step.step import own_peak_kb

if TYPE_CHECKING:  # takes a second, and most commands have no processes
    from dask_jobqueue.core import JobQueueCluster
    from distributed import Client, Future, SpecCluster
    from distributed.security import Security

Task = TypeVar("Task")
Result = TypeVar("Result")

_PAUSES = (5.0, 30.0)  # seconds, each before another try of a task that failed at a file: a network disk was away
_DEATHS = 3  # of processes at the same task; the next is one too many
_PATIENCE = 60.0  # seconds between words on how far the work is
_PASSED_ON = ("PYTHONPATH", "MKL_DEBUG_CPU_TYPE")  # to jobs elsewhere, and all that begins with MALLOC_
_TOPIC = "understudy"
# Of a queue's jobs, which Dask's settings here do not reach.
_SCRATCH = ("export DASK_TEMPORARY_DIRECTORY=$(mktemp -d)", "trap 'rm -rf \"$DASK_TEMPORARY_DIRECTORY\"' EXIT")


class _Done(NamedTuple):
    result: Any
    fault: UserError | None
    cpu_seconds: float
    peak_kb: int


class Workers:
    """Processes that begin with the first work and end with the block: `with Workers(jobs) as workers`.

    One that dies is replaced, and what it did is done again. They end by themselves when this process is killed, so
    that nothing goes on writing into a folder that another run has taken over. One local job: no processes.

    They listen on ports, which others of the machine or its network can reach, and who is let in can run code as their
    owner: so they speak TLS, with credentials that are made for this block and end with it.
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
        self._given: Security | None = None
        if address := self.cluster.scheduler:
            self._given = credentials.given(address, self.cluster.ca, self.cluster.certificate, self.cluster.key)

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
        client = self._client
        stream = ((_Here(work, os.getcwd(), self.threads, _PAUSES), task) for task in tasks)
        submit = partial(client.submit, pure=False)
        waiting = deque(submit(*one) for one in islice(stream, 4 * self.jobs))
        number = 0
        while waiting:
            done = self._result(client, waiting.popleft(), number, what)
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

    def _result(self, client: Client, future: Future, number: int, what: str) -> _Done:
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
                working = len(client.scheduler_info()["workers"])
                log.info("%s: %d are done, %d of %d processes are there", what, number, working, self.jobs)

    def _begin(self) -> Client:
        import dask
        from distributed import Client

        self._open.enter_context(_ended_in_order())
        scratch = self._open.enter_context(TemporaryDirectory(prefix="understudy-"))
        ours = {
            # Dask's own settings of memory and threads would go over those of utils/path.sh.
            "distributed.nanny.pre-spawn-environ": {}, "distributed.scheduler.allowed-failures": _DEATHS,
            "temporary-directory": scratch,  # Dask's is of a name that anybody may have taken before
        }  # fmt: skip
        self._open.enter_context(dask.config.set(ours))
        if address := self.cluster.scheduler:
            client = _reached(address, self._given)
        elif self.cluster.kind == "local":
            client = Client(self._open.enter_context(self._local(credentials.temporary(Path(scratch)))))
        else:
            shared = TemporaryDirectory(prefix=".partial-tls-", dir=self.out or Path())
            security = credentials.temporary(Path(self._open.enter_context(shared)))
            client = Client(self._open.enter_context(self._queue(security)))
        client.register_plugin(_plugin())
        client.subscribe_topic(_TOPIC, lambda event: log.warning("%s", event[1]))
        return client

    def _local(self, security: Security) -> SpecCluster:
        from distributed import Nanny, SpecCluster

        from understudy.parallel.pageless import Scheduler, Worker

        # Pipes in place of ports (ProcessPoolExecutor, the same calls) begin in 2.0 s in place of 3.7, and hand out a
        # shard in 0.4 ms in place of 11.5. But a shard takes seconds, and that pool breaks when one process dies:
        # deaths, retries, progress would be written twice, for here and for queues (docs/cluster.md has TLS's share).
        # As distributed.LocalCluster, which has no choice of a scheduler.
        common = {"host": "127.0.0.1", "protocol": "tls://", "security": security}
        own = {
            "worker_class": Worker, "nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL,
            "env": {"OMP_NUM_THREADS": str(self.threads)},
        }  # fmt: skip
        one = {"cls": Nanny, "options": {**common, **own}}
        scheduler = {"cls": Scheduler, "options": {**common, "port": 0}}
        return SpecCluster(dict.fromkeys(range(self.jobs), one), scheduler, security=security, silence_logs=50)

    def _queue(self, security: Security) -> JobQueueCluster:
        import dask_jobqueue

        from understudy.parallel import pageless

        one = self.cluster
        passed = {k: v for k, v in os.environ.items() if k in _PASSED_ON or k.startswith("MALLOC_")}
        exports = [f"export {k}={shlex.quote(v)}" for k, v in {**passed, "OMP_NUM_THREADS": str(self.threads)}.items()]
        cluster = getattr(dask_jobqueue, f"{one.kind.upper()}Cluster")(
            queue=one.queue, cores=self.threads, processes=1, memory=one.memory, interface=one.interface,
            job_extra_directives=one.directives, job_script_prologue=[*exports, *_SCRATCH, *one.prologue],
            worker_extra_args=["--nthreads", "1", "--worker-class", f"{pageless.__name__}.Worker"],
            log_directory=str((self.out or Path()) / "jobs"), security=security,
            scheduler_cls=pageless.Scheduler, scheduler_options={"dashboard": False},
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


def _reached(address: str, security: Security | None) -> Client:
    from distributed import Client

    try:
        return Client(address, security=security)
    except OSError as error:
        raise UserError(
            f"{address}: no scheduler answers to these credentials ({error}). Does it run, and did the authority of "
            "--cluster.ca sign both its certificate and yours?"
        ) from None


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM, or a terminal that hangs up, ends the block as an error would; a second one ends the process."""

    def end(number: int, _: Any) -> None:
        restore()
        sys.exit(128 + number)

    def restore() -> None:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)

    ours = []
    if threading.current_thread() is threading.main_thread():  # others may not choose
        ours = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        restore()


def _plugin() -> Any:
    from distributed.diagnostics.plugin import SchedulerPlugin

    class Deaths(SchedulerPlugin):
        """Tells of processes that are no more."""

        name = "understudy-deaths"

        def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
            scheduler.log_event(_TOPIC, f"a process ended ({worker}): another takes its place, and does its work again")

    return Deaths()
