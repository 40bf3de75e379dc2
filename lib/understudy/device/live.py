"""Audio that has no end of its own: an interrupt ends it, and what was said before is still told."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from .errors import DeviceError

WAIT = 0.1
"""seconds after which a wait for audio looks for an interrupt"""
_PIPE = 1 << 16
"""bytes that a pipe holds"""


class Interrupt:
    """While it is entered, SIGINT (Ctrl-C) and SIGTERM are noted, and end nothing by themselves.

    A second one raises KeyboardInterrupt. What the process was started to ignore, it ignores.

    Attributes:
        came: whether there was one.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {}

    def __enter__(self) -> Interrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # Raised wherever it comes, as Python does, it would tear the search from what has been heard.
        if self.came:
            raise KeyboardInterrupt
        self.came = True


class StandardInput:
    """Bytes of standard input, until it ends. An interrupt ends it after what a pipe holds by then."""

    def __init__(self, interrupt: Interrupt, descriptor: int = 0) -> None:
        self._interrupt, self._descriptor = interrupt, descriptor
        self._held, self._ended = bytearray(), False

    def read(self, size: int, /) -> bytes:
        """As many bytes, waited for; fewer at the end alone.

        Raises:
            DeviceError: it cannot be read.
        """
        while len(self._held) < size and not self._ended:
            try:
                self._fetch()
            except (OSError, ValueError) as error:
                raise DeviceError(f"standard input: cannot be read ({error})") from None
        data = bytes(self._held[:size])
        del self._held[:size]
        return data

    def _fetch(self) -> None:
        last = self._interrupt.came
        ready, _, _ = select.select([self._descriptor], [], [], 0 if last else WAIT)
        data = os.read(self._descriptor, _PIPE) if ready else b""
        self._held += data
        self._ended = last or bool(ready and not data)
