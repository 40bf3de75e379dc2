"""The normalisation of a recipe's features, as it is kept: by a running mean, or by one mean for all speech."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from understudy.device.normalise import NormalisedUtterance, OnlineMean
from understudy.step import UserError, read_json, write_json


def check_online(online: OnlineMean) -> None:
    """Raise UserError for a running mean that makes no sense."""
    if online.prior <= 0 or online.window < 0:
        raise UserError(
            "the running mean's prior must be more than 0 frames and its window 0 or more, got "
            f"{online.prior:g} and {online.window}"
        )


@dataclass
class Normaliser:
    """Takes a mean off log-mels, and divides them by a standard deviation, channel by channel."""

    mean: np.ndarray
    """(mels,) of the labelled speech (a device knows no more)"""
    std: np.ndarray
    """(mels,) of the same"""
    online: OnlineMean | None = None
    """how the mean follows what is heard; None: it is one for all speech"""

    def __post_init__(self) -> None:
        """Raise UserError as `check_online`."""
        if self.online:
            check_online(self.online)

    def __call__(self, logmel: np.ndarray) -> np.ndarray:
        """An utterance from its beginning on, (frames, mels), to the same, normalised, float32."""
        return self.utterance()(logmel)

    def utterance(self) -> NormalisedUtterance:
        """One utterance, whose frames come piece by piece, in order."""
        return NormalisedUtterance(self.mean, self.std, self.online)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        values = {"mean": self.mean.tolist(), "std": self.std.tolist()}
        write_json(path, values | ({"online": asdict(self.online)} if self.online else {}))

    @classmethod
    def load(cls, path: Path) -> Normaliser:
        """Read what `save` wrote."""
        values = read_json(path)
        online = OnlineMean(**values["online"]) if "online" in values else None
        return cls(np.array(values["mean"], np.float32), np.array(values["std"], np.float32), online)
