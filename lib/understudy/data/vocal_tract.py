"""Other speakers in training: what is said is heard as if by a vocal tract of another length, drawn anew each time.

After vocal tract length perturbation (Jaitly and Hinton 2013, "Vocal tract length perturbation (VTLP) improves speech
recognition"): the frequency axis of the log-mels is stretched. It moves the harmonics of a voice with its formants, and
leaves its tempo, where a copy at another speed changes all three. It comes before what a channel does to the sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.features.frames import SAMPLE_RATE
from understudy.features.logmel import NUM_MELS, centres
from understudy.step import UserError

_KNEE = 4800.0
"""Hz, up to which all frequencies are stretched alike; half of the sample rate stays where it is (F_hi of the paper)"""


@dataclass
class VocalTractOptions:
    """Random lengths of vocal tracts (the share is our choice, the range the paper's)."""

    share: float = 0.0
    """of the spans that are heard as if somebody else spoke; 0: none"""
    most: float = 0.1
    """frequencies are stretched by a factor within 1 ± this"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        if not 0 <= self.share <= 1:
            raise UserError(f"--train.vocal_tract.share must be from 0 to 1, got {self.share:g}")
        if not 0 <= self.most <= 0.5:
            raise UserError(f"--train.vocal_tract.most must be from 0 to 0.5, got {self.most:g}")

    def heard(self, logmels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Log-mels (frames, mels) float32 as somebody else's, or as they are, where none is drawn."""
        if rng.random() >= self.share:
            return logmels
        return stretched(logmels, 1 + rng.uniform(-self.most, self.most))


def stretched(logmels: np.ndarray, factor: float) -> np.ndarray:
    """Log-mels (frames, mels) whose frequencies are times `factor`, between channels by linear interpolation."""
    channels = np.arange(NUM_MELS)
    from_where = np.interp(_before(centres(), factor), centres(), channels)
    below = np.minimum(from_where.astype(int), NUM_MELS - 2)
    share = (from_where - below).astype(np.float32)
    return logmels[:, below] * (1 - share) + logmels[:, below + 1] * share


def _before(frequencies: np.ndarray, factor: float) -> np.ndarray:
    """Hz, where what is now at these frequencies was before they were stretched (the paper's equation, inverted)."""
    half, end = SAMPLE_RATE / 2, _KNEE * min(factor, 1)
    above = half - (half - frequencies) * (half - end / factor) / (half - end)
    return np.where(frequencies <= end, frequencies / factor, above)
