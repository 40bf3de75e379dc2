"""Cepstra with two differences, from stored log-mels: what the bootstrap's Gaussians model."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch

_CEPSTRA = 13


def cepstra(logmel: np.ndarray) -> np.ndarray:
    """(frames, mels) log-mels to (frames, 39): 13 cepstra, utterance mean removed, Δ and ΔΔ (Kaldi's window 2)."""
    static = logmel @ _dct(logmel.shape[1])
    static = static - static.mean(0)
    first = _delta(static)
    return np.concatenate([static, first, _delta(first)], 1).astype(np.float32)


@lru_cache
def _dct(mels: int) -> np.ndarray:
    """(mels, cepstra) of the orthonormal DCT-II."""
    angles = math.pi / mels * (torch.arange(float(mels)) + 0.5) * torch.arange(float(_CEPSTRA))[:, None]
    rows = angles.cos()
    rows[0] *= math.sqrt(0.5)
    return (rows * math.sqrt(2 / mels)).numpy().T


def _delta(values: np.ndarray, window: int = 2) -> np.ndarray:
    padded = np.pad(values, ((window, window), (0, 0)), mode="edge")
    length = len(values)
    total = sum(
        n * (padded[window + n : window + n + length] - padded[window - n : window - n + length])
        for n in range(1, window + 1)
    )
    return total / (2 * sum(n * n for n in range(1, window + 1)))
