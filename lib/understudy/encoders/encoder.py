"""What an encoder has to tell of itself, whatever it runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Encoder(ABC):
    """A model that makes a frame of numbers of every so many samples; times are in samples of 16 kHz."""

    hop: int
    """from one frame to the next"""
    middle: float
    """of what the first frame hears, from the beginning: what the receptive field is off by"""
    shortest: int
    """that make a frame"""
    longest: int
    """that it hears at once, at most"""
    pads: bool
    """windows of different lengths may be heard side by side: each makes what it makes alone"""
    padded: int = 0
    """as long as that is every window for it; 0: it is as long as the longest beside it"""

    def prepared(self, samples: np.ndarray) -> np.ndarray:
        """All of a cut's samples, (length,) float32 within ±1, as windows of them are to be heard."""
        return samples

    @abstractmethod
    def __call__(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        """Of each window (length,) float32, of `shortest` to `longest` samples, its (frames, dims) float32."""
