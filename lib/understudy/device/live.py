"""Audio that has no end of its own: an interrupt ends it, and what was said before is still recognised."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from .errors import DeviceError

WAIT = 0.1
"""seconds between checks for an interrupt while waiting for audio"""
_PIPE = 1 << 16
"""bytes that a pipe holds"""


class Interrupt:
    """A context in which SIGINT (Ctrl-C) and SIGTERM are noted, and end nothing by themselves.

    A second signal raises KeyboardInterrupt. Signals that the process was started to ignore stay ignored.

    Attributes:
        came: whether one of the signals has come.
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
        # An exception wherever the signal comes, as is Python's default, would lose what has been heard.
        if self.came:
            raise KeyboardInterrupt
        self.came = True


class StandardInput:
    """Bytes of standard input, until it ends. An interrupt ends it after the bytes that a pipe holds by then."""

    def __init__(self, interrupt: Interrupt, descriptor: int = 0) -> None:
        self._interrupt, self._descriptor = interrupt, descriptor
        self._held, self._ended = bytearray(), False

    def read(self, size: int, /) -> bytes:
        """Wait for `size` bytes and return them; fewer at the end alone.

        Raises:
            DeviceError: standard input cannot be read.
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
