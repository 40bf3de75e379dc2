"""Normalisation of log-mels, the same arithmetic in training, in every search and on a device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OnlineMean:
    """How the mean that is subtracted from log-mels follows the audio (after Kaldi's online CMN; the numbers are ours).

    A gain adds a constant to log-mels, which disappears with their mean.
    """

    prior: float = 8
    """10 ms frames that the mean of the labelled speech counts for when an utterance begins; more than 0"""
    window: int = 600
    """10 ms frames of the past that count; 0: all of the utterance"""
    floor: float = 0.0
    """least log-mel; 0 is an energy of 1, with samples as whole numbers within ±32768. Digital silence has none"""


class RunningMean:
    """The mean of an utterance's frames so far, which begins at a prior mean.

    At a frame it is (count · prior + the sum of the last `window` frames, this one included) / (count + their number).
    A stream begins as an utterance does: with the prior alone. Sums are in double
    precision, one frame after another, so that neither the pieces that frames arrive in nor the processor change a bit.
    """

    def __init__(self, prior: np.ndarray, count: float, window: int = 0) -> None:
        """Begin an utterance.

        Args:
            prior: (mels,) the mean before anything was heard.
            count: frames that it counts for, more than 0.
            window: frames of the past that count, with the present one; 0: all of them.
        """
        self._begin, self._count, self._window = count * prior.astype(np.float64), count, window
        self._sums = np.zeros((1, len(prior)))  # over all frames before each of the last ones and the next
        self._heard = 0

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Take in the next frames (frames, mels); return the mean at each of them, (frames, mels) float64."""
        if not len(frames):
            return np.zeros(frames.shape)
        ahead = np.concatenate([self._sums[-1:], frames.astype(np.float64)])
        sums = np.concatenate([self._sums, np.cumsum(ahead, axis=0)[1:]])
        heard = self._heard + 1 + np.arange(len(frames))
        counted = np.minimum(heard, self._window) if self._window else heard
        now = np.arange(len(self._sums), len(sums))
        within = sums[now] - sums[now - counted] if self._window else sums[now]
        self._heard += len(frames)
        self._sums = sums[-(self._window or 1) :]
        return (self._begin + within) / (self._count + counted)[:, None]


class NormalisedUtterance:
    """Normalises the log-mels of an utterance piece by piece; how they are divided changes no bit."""

    def __init__(self, mean: np.ndarray, std: np.ndarray, online: OnlineMean | None) -> None:
        """Begin an utterance.

        Args:
            mean: (mels,) mean of the labelled speech.
            std: (mels,) that log-mels are divided by.
            online: how the mean follows the audio; None: it is constant.
        """
        self._mean, self._std, self._online = mean, std, online
        self._running = RunningMean(mean, online.prior, online.window) if online else None

    def __call__(self, logmel: np.ndarray) -> np.ndarray:
        """Take in the next log-mels (frames, mels); return them normalised, (frames, mels) float32."""
        if self._running is None or self._online is None:
            return ((logmel - self._mean) / self._std).astype(np.float32)
        logmel = np.maximum(logmel, np.float32(self._online.floor))
        return ((logmel - self._running(logmel)) / self._std).astype(np.float32)
