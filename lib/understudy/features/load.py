"""Reading stored features: normalised, stacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lhotse.cut import Cut

from understudy.features.frames import stack
from understudy.features.kind import LOGMELS, kind_of
from understudy.features.normalise import Normaliser
from understudy.step import UserError


def load_frames(cut: Cut) -> np.ndarray:
    """Stored frames of a cut, of whatever kind, (frames, channels) float32, not normalised.

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
    logmels = kind_of(cut) == LOGMELS
    frames = cut.load_features() if logmels else cut.features.load()  # Lhotse would trim to its own count
    expected = cut.num_frames if logmels else cut.features.num_frames
    if len(frames) != expected:
        raise UserError(f"cut {cut.id}: {len(frames)} frames stored, {expected} in its manifest. Run stage 1 again.")
    return frames


def load_logmel(cut: Cut) -> np.ndarray:
    """Stored log-mels of a cut, (frames, mels) float32, not normalised.

    Raises:
        UserError: as `load_frames`, and where the features are an encoder's.
    """
    if cut.has_features and (kind := kind_of(cut)) != LOGMELS:
        raise UserError(
            f"cut {cut.id}: has features of {kind.name}, and this takes log-mels. Give the manifest that "
            "steps/make_features.py wrote."
        )
    return load_frames(cut)


def load_stacked(cut: Cut, normaliser: Normaliser, offset: int = 0) -> np.ndarray:
    """Normalised features of a cut as models hear them: (frames of 30 ms, 192 of log-mels) float32."""
    return stack(normaliser(load_frames(cut)), offset, by=kind_of(cut).stack)
