"""TensorBoard's logs of a training, beside its text log: `tensorboard --logdir exp`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter


class Curves:
    """Scalars by update. A training that goes on after it was killed goes on in its curves."""

    def __init__(self, folder: Path, update: int) -> None:
        """Begin at an update; what a killed run told of later ones is taken back."""
        self._writer = SummaryWriter(
            str(folder / "tensorboard"), purge_step=update + 1 if update else None, filename_suffix=f".{update}"
        )

    def add(self, update: int, values: Mapping[str, float]) -> None:
        """Write at once, so that a killed run has told what it knew; what is no number is left out."""
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(name.replace(" ", "_"), value, update)
        self._writer.flush()

    def close(self) -> None:
        """No more will come."""
        self._writer.close()
