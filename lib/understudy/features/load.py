"""Reading stored features: normalised, stacked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lhotse.cut import Cut

from understudy.features.frames import stack
from understudy.stage import UserError, read_json, write_json


@dataclass
class Normaliser:
    """Mean and standard deviation per mel channel, over the labelled speech (a device knows no more)."""

    mean: np.ndarray
    """(mels,)"""
    std: np.ndarray
    """(mels,)"""

    def __call__(self, logmel: np.ndarray) -> np.ndarray:
        """(frames, mels) to the same, normalised."""
        return ((logmel - self.mean) / self.std).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, {"mean": self.mean.tolist(), "std": self.std.tolist()})

    @classmethod
    def load(cls, path: Path) -> Normaliser:
        """Read what `save` wrote."""
        values = read_json(path)
        return cls(np.array(values["mean"], np.float32), np.array(values["std"], np.float32))


def load_logmel(cut: Cut) -> np.ndarray:
    """Stored log-mels of a cut, (frames, mels) float32, not normalised.

    Raises:
        UserError: the cut has no features, their file is missing, or their number of frames is not what the
            manifest says.
    """
    if not cut.has_features:
        raise UserError(f"cut {cut.id}: has no features. Give the manifest that stage 1 wrote (data/feats/…).")
    if not (path := Path(cut.features.storage_path)).exists():
        raise UserError(
            f"cut {cut.id}: {path}: no such file, seen from {Path.cwd()}. Work in the folder that stage 1 was run in, "
            "or run it again."
        )
    logmel = cut.load_features()
    if len(logmel) != cut.num_frames:
        raise UserError(
            f"cut {cut.id}: {len(logmel)} frames stored, {cut.num_frames} in its manifest. Run stage 1 again."
        )
    return logmel


def load_stacked(cut: Cut, normaliser: Normaliser, offset: int = 0) -> np.ndarray:
    """Normalised and stacked features of a cut: (stacked frames, 192) float32."""
    return stack(normaliser(load_logmel(cut)), offset)
