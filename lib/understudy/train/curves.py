"""TensorBoard logs of a training, besides its text log: `tensorboard --logdir exp`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar


class Curves:
    """Scalars by update. A training that resumes after it was killed continues its curves."""

    def __init__(self, folder: Path, update: int) -> None:
        """Begin at an update; values that a killed run wrote for later updates are hidden."""
        (folder / "tensorboard").mkdir(parents=True, exist_ok=True)
        # Not through SummaryWriter: its events wait in a queue of another thread, and are lost if the run is killed.
        self._writer = EventsWriter(str(folder / "tensorboard" / "events"), f".{update}")
        began = SessionLog(status=SessionLog.START)
        self._writer.write_event(Event(wall_time=time.time(), step=update + 1 if update else 0, session_log=began))

    def add(self, update: int, values: Mapping[str, float]) -> None:
        """Write values at once, so that a killed run loses none; NaN and infinities are left out."""
        for name, value in values.items():
            if math.isfinite(value):
                summary = scalar(name.replace(" ", "_"), value)
                self._writer.write_event(Event(wall_time=time.time(), step=update, summary=summary))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
