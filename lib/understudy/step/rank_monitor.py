"""Monitor of the processes (ranks) of a job: if one is lost, the others report which, and end too."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from multiprocessing.connection import Client, Connection, Listener, wait
from typing import NoReturn

from understudy.step.log import log

_DONE = "done"
_GRACE = 12.0
_KEEPALIVE = ((socket.SO_KEEPALIVE, 1), (socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class RankMonitor:
    """A connection of each rank to rank 0, which the kernel closes when a rank dies, however it dies.

    Collectives alone do not suffice: with NCCL the others wait for half an hour, and no backend names the lost rank.
    A machine that loses power is found in a minute (TCP keep-alive). A rank that finds another one lost first gives
    the launcher time to notice and to name the same one, then ends its process.
    """

    def __init__(self, others: dict[str, Connection]) -> None:
        """Begin to watch.

        Args:
            others: connections by name, e.g. `rank 1 (pid 17 on host)`: at rank 0 to all others, else to rank 0.
        """
        self.others = others
        for other in others.values():
            _keep_alive(other)
        self.lost, self._over = threading.Event(), False
        self._telling = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    @classmethod
    def listen(cls, listener: Listener, count: int) -> RankMonitor:
        """Return rank 0's monitor, once all others have connected; `count`: ranks in all."""
        others = {}
        for _ in range(count - 1):
            other = listener.accept()
            others[other.recv_bytes().decode()] = other
        listener.close()
        return cls(others)

    @classmethod
    def connect(cls, rank: int, host: str, port: int, key: bytes, name: str) -> RankMonitor:
        """Return the monitor of a rank other than 0, connected to rank 0, whose name is `name`."""
        first = Client((host, port), authkey=key)
        first.send_bytes(named(rank).encode())
        return cls({name: first})

    def end(self, reason: str = _DONE) -> None:
        """Report that this process ends, well or for a reason that the others log; ignore what becomes of them."""
        self._over = True
        self._tell(reason)

    def wait_for_end(self) -> NoReturn:
        """Wait until this process is ended, after another rank was lost."""
        while True:
            time.sleep(_GRACE)

    def _tell(self, message: str) -> None:
        with self._telling:
            for other in self.others.values():
                with contextlib.suppress(OSError):
                    other.send_bytes(message.encode())

    def _listen(self) -> None:
        left = {connection: name for name, connection in self.others.items()}
        while left:
            ready = wait(list(left))
            for connection in [one for one in left if one in ready]:
                name = left.pop(connection)
                try:
                    message = connection.recv_bytes().decode()
                except (EOFError, OSError):
                    message = "died, or its machine cannot be reached"
                if message != _DONE and not self._over:
                    self._stop(message if message.startswith("rank ") else f"{name} {message}")

    def _stop(self, message: str) -> None:
        self.lost.set()
        log.error("%s: the job is stopped. Run the same command again: it goes on from the last checkpoint", message)
        self._tell(message)
        time.sleep(_GRACE)
        os._exit(1)


def named(rank: int) -> str:
    """Return the name of this process for the others."""
    return f"rank {rank} (pid {os.getpid()} on {socket.gethostname()})"


def _keep_alive(connection: Connection) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        for option, value in _KEEPALIVE:
            end.setsockopt(socket.SOL_SOCKET if option == socket.SO_KEEPALIVE else socket.IPPROTO_TCP, option, value)
