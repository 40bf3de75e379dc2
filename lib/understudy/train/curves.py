"""TensorBoard's logs of a training, beside its text log: `tensorboard --logdir exp`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar


class Curves:
    """Scalars by update. A training that goes on after it was killed goes on in its curves."""

    def __init__(self, folder: Path, update: int) -> None:
        """Begin at an update; what a killed run told of later ones is taken back."""
        (folder / "tensorboard").mkdir(parents=True, exist_ok=True)
        # Not through SummaryWriter, whose events wait in a thread of its own, and are lost with a killed run.
        self._writer = EventsWriter(str(folder / "tensorboard" / "events"), f".{update}")
        began = SessionLog(status=SessionLog.START)
        self._writer.write_event(Event(wall_time=time.time(), step=update + 1 if update else 0, session_log=began))

    def add(self, update: int, values: Mapping[str, float]) -> None:
        """Write at once, so that a killed run has told what it knew; what is no number is left out."""
        for name, value in values.items():
            if math.isfinite(value):
                summary = scalar(name.replace(" ", "_"), value)
                self._writer.write_event(Event(wall_time=time.time(), step=update, summary=summary))
        self._writer.flush()

    def close(self) -> None:
        """No more will come."""
        self._writer.close()
