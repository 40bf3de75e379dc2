"""Dask's scheduler and worker without their HTTP server.

It listens even where the dashboard is off, on a port of its own, in the clear, and answers whoever asks.
"""

from __future__ import annotations

from typing import Any

import distributed


class _Pageless:
    def start_http_server(self, *_: Any, **__: Any) -> None:
        """None is started."""


class Scheduler(_Pageless, distributed.Scheduler):
    """A scheduler with one port."""


class Worker(_Pageless, distributed.Worker):
    """A worker with one port."""
