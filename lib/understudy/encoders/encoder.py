"""The interface of encoders, whatever library they run on."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Encoder(ABC):
    """A model that maps samples to frames of features at a fixed shift; times are in samples at 16 kHz."""

    hop: int
    """samples from one frame to the next"""
    middle: float
    """centre of the first frame's receptive field, in samples from the beginning"""
    shortest: int
    """fewest samples that make a frame"""
    longest: int
    """most samples of a window"""
    pads: bool
    """whether windows of different lengths may share a batch, each with the same frames as alone"""
    padded: int = 0
    """length to which every window is padded; 0: the longest of its batch"""

    def prepared(self, samples: np.ndarray) -> np.ndarray:
        """Prepare a whole cut's samples, (length,) float32 in ±1, from which windows are cut."""
        return samples

    @abstractmethod
    def __call__(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        """Compute the (frames, dims) float32 of each window, (length,) float32 of `shortest` to `longest` samples."""
