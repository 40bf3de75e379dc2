"""The times at which checkpoints are written."""

from __future__ import annotations

import time

from understudy.step import ranks


class CheckpointTimer:
    """A plan of checkpoints about every so many seconds, at updates that all ranks know beforehand.

    So ranks need not communicate at every update.
    """

    def __init__(self, seconds: float, update: int) -> None:
        self.seconds = seconds
        self._pause, self._last, self._since = 1, update, time.monotonic()

    def due(self, update: int) -> bool:
        """Whether a checkpoint is due after this update."""
        return update >= self._last + self._pause

    def hasten(self) -> None:
        """Make the next checkpoint due at once."""
        self._pause = 0

    def written(self, update: int) -> None:
        """Plan the next checkpoint by rank 0's clock.

        The number of updates between two grows at most four-fold, since the first updates take longer than later ones.
        """
        now = time.monotonic()
        pause = (update - self._last) * self.seconds / max(now - self._since, 1e-6)
        self._pause = ranks.broadcast(max(1, min(int(pause), 4 * max(self._pause, 1))))
        self._last, self._since = update, now
