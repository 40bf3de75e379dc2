"""An encoder in numpy whose every number is known, and cuts for it to hear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut, Recording

from understudy.encoders.encoder import Encoder


class Moments(Encoder):
    """Mean and mean square of 400 samples, every 320: as far as wav2vec 2.0 hears, and no further."""

    hop, shortest, middle, longest, pads = 320, 400, 200.0, 48_000, True

    def __init__(self) -> None:
        self.heard: list[list[int]] = []

    def __call__(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        self.heard.append([len(one) for one in windows])
        return [moments(one) for one in windows]


def moments(samples: np.ndarray) -> np.ndarray:
    """(frames, 2) float32 of samples."""
    begins = range(0, len(samples) - 400 + 1, 320)
    return np.array([[samples[b : b + 400].mean(), (samples[b : b + 400] ** 2).mean()] for b in begins], np.float32)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    """Samples (length,) float32 whose level changes."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(0.01, 0.2, samples // 2000 + 1), 2000)[:samples]
    return (level * rng.normal(0, 1, samples)).clip(-1, 1).astype(np.float32)


def cut_of(folder: Path, name: str, samples: np.ndarray) -> MonoCut:
    """A cut of a file that holds these samples."""
    soundfile.write(folder / f"{name}.wav", samples, 16000, subtype="FLOAT")
    return Recording.from_file(folder / f"{name}.wav").to_cut()
