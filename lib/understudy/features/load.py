"""Reading stored features: normalised, stacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lhotse.cut import Cut

from understudy.features.frames import stack
from understudy.features.normalise import Normaliser
from understudy.step import UserError


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
