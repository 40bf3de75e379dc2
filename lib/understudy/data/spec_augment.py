"""SpecAugment: bands and stretches of the log-mels are masked, so that a model does not learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.features.frames import STACK
from understudy.step import UserError


@dataclass
class SpecAugment:
    """Masks of SpecAugment (Park et al. 2019) on normalised features, whose mean is 0."""

    freq_masks: int = 2
    """bands masked in an utterance"""
    freq_width: int = 12
    """widest band, mels (of an encoder's features: channels)"""
    time_masks: int = 2
    """spans masked in an utterance"""
    time_width: int = 12
    """longest span, stacked frames"""
    time_share: float = 0.2
    """of what is heard at once, the most that all masked spans together take"""
    shift: bool = True
    """start the stacking 0 to 2 frames late"""

    def __post_init__(self) -> None:
        """Raise UserError for a share that makes no sense."""
        if not 0 <= self.time_share <= 1:
            raise UserError(f"--train.augment.time_share {self.time_share}: it is from 0 to 1")

    def mask(self, stacked: np.ndarray, rng: np.random.Generator, by: int = STACK) -> np.ndarray:
        """(frames, by * mels), so many stored frames in one, to the same, masked copy."""
        frames, mels = len(stacked), stacked.shape[1] // by
        masked = stacked.reshape(frames, by, mels).copy()
        for _ in range(self.freq_masks):
            width = int(rng.integers(0, self.freq_width + 1))
            start = int(rng.integers(0, mels - width + 1))
            masked[:, :, start : start + width] = 0.0
        left = int(self.time_share * frames)
        widest = min(self.time_width, left)
        for _ in range(self.time_masks):
            # Drawn as if alone, so that in long spans, where there is room for all, masks do not hang on one another.
            width = min(int(rng.integers(0, widest + 1)), left)
            left -= width
            start = int(rng.integers(0, frames - width + 1))
            masked[start : start + width] = 0.0
        return masked.reshape(frames, -1)
