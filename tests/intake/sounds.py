"""Small audio for corpora that are made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


def tone(path: Path, seconds: float = 0.5, rate: int = RATE, pitches: tuple[float, ...] = (440.0,)) -> Path:
    """A file with a tone in each channel, whose format is that of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate)) / rate
    soundfile.write(path, np.stack([0.3 * np.sin(2 * np.pi * pitch * time) for pitch in pitches], 1), rate)
    return path


def pitch_of(path: Path) -> float:
    """The strongest frequency of a file, in Hz."""
    samples, rate = soundfile.read(path)
    assert rate == RATE and samples.ndim == 1
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))
