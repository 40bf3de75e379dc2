"""When to write a checkpoint."""

from __future__ import annotations

import time

from understudy.step import ranks


class CheckpointTimer:
    """About every so many seconds, at updates that all ranks know beforehand, so that none has to ask at each."""

    def __init__(self, seconds: float, update: int) -> None:
        self.seconds = seconds
        self._pause, self._last, self._since = 1, update, time.monotonic()

    def due(self, update: int) -> bool:
        """Whether it is time after this update."""
        return update >= self._last + self._pause

    def hasten(self) -> None:
        """As soon as may be."""
        self._pause = 0

    def written(self, update: int) -> None:
        """Plan the next one by rank 0's clock; a pause grows at most four-fold, since first updates mislead."""
        now = time.monotonic()
        pause = (update - self._last) * self.seconds / max(now - self._since, 1e-6)
        self._pause = ranks.broadcast(max(1, min(int(pause), 4 * max(self._pause, 1))))
        self._last, self._since = update, now
