"""Features of an utterance that arrives piece by piece: those of the whole utterance."""

from __future__ import annotations

import numpy as np

from understudy.features.frames import SAMPLE_RATE, STACK, stack
from understudy.features.logmel import NUM_MELS, logmel
from understudy.features.normalise import Normaliser

SHORTEST = 480
"""Samples: less is not one stacked frame"""
_SHIFT = SAMPLE_RATE // 100
_REACH = 280  # samples from where a frame's shift begins to where its window ends
_CONTEXT = 3  # frames computed again, so that those at a piece's edge are not taken


class FeatureStream:
    """Samples to stacked features, as soon as a frame's window is heard."""

    def __init__(self, normaliser: Normaliser) -> None:
        self._normalised = normaliser.utterance()
        self._samples = np.zeros(0, np.float32)  # from frame `_first` on
        self._first = self._frames = 0
        self._rest = np.zeros((0, NUM_MELS), np.float32)  # frames that are not a stacked one yet

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Samples (length,) float32 in ±1 at 16 kHz to (stacked frames, 192), each frame once."""
        self._samples = np.concatenate([self._samples, samples])
        if self._first == 0 and len(self._samples) < SHORTEST:
            return self._stacked(self._rest[:0])
        return self._stacked(self._until(self._first + (len(self._samples) - _REACH) // _SHIFT + 1))

    def finish(self) -> np.ndarray:
        """The frames at the end, whose windows reach past it; the last one or two may not make a stacked frame."""
        if self._first == 0 and len(self._samples) < SHORTEST:
            return self._stacked(self._rest[:0])
        return self._stacked(self._until(self._first + (len(self._samples) + _SHIFT // 2) // _SHIFT))

    def _until(self, end: int) -> np.ndarray:
        """Normalised log-mels of the frames from where we are to `end`."""
        if end <= self._frames:
            return self._rest[:0]
        found = logmel(self._samples)[self._frames - self._first : end - self._first]
        first = max(end - _CONTEXT, 0)
        self._samples = self._samples[(first - self._first) * _SHIFT :]
        self._first, self._frames = first, end
        return self._normalised(found)

    def _stacked(self, frames: np.ndarray) -> np.ndarray:
        frames = np.concatenate([self._rest, frames])
        whole = len(frames) // STACK * STACK
        self._rest = frames[whole:]
        return stack(frames[:whole])
