"""What lies between a mouth and a recogniser, one thing at a time: on samples, (length,) float32 at 16 kHz, to as many.

These measure what a student stands; each is defined so that a spectrum or a power can check it. Rooms are in
`understudy.features.rooms`, sounds to be added in `understudy.features.sounds`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soundfile
import torch
from lhotse.augmentation import Compress
from lhotse.augmentation.resample import resample

from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import fast_length, reverberate, unit

OPUS_KBITS = 16
_TELEPHONE_RATE = 8000
_MU = 255.0
_OPUS_KBITS = (6, 256)  # of libsndfile, at its highest and its lowest level of compression


def decibels(db: float) -> np.float32:
    """What samples are multiplied by."""
    return np.float32(10 ** (db / 20))


def power(samples: np.ndarray) -> float:
    """Mean of the squares."""
    return float(np.mean(np.square(samples, dtype=np.float64)))


def quantised(samples: np.ndarray) -> np.ndarray:
    """As a microphone of 16 bits sends them: rounded, without dither, and clipped to [-1, 1)."""
    return (np.clip(np.rint(samples * np.float32(32768)), -32768, 32767) / 32768).astype(np.float32)


def in_noise(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Speech, its level unchanged, with noise; powers are measured over all of both. Silence stays silence."""
    return speech + unit(noise) * np.float32(np.sqrt(power(speech))) * decibels(-snr_db)


def in_room(speech: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Speech in a room (taps,), at the level that it had."""
    return unit(reverberate(speech, room)) * np.float32(np.sqrt(power(speech)))


def filtered(samples: np.ndarray, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Through a filter without delay (of zero phase). `gain`: of frequencies in Hz, factors of the amplitude."""
    size = fast_length(len(samples) + SAMPLE_RATE)  # a second of silence: the end does not ring into the beginning
    spectrum = np.fft.rfft(samples, size) * gain(np.fft.rfftfreq(size, 1 / SAMPLE_RATE))
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def low_passed(samples: np.ndarray, hz: float = 3800.0) -> np.ndarray:
    """Without what is above: the amplitude falls from 1 to 0, as a raised cosine, within 100 Hz to both sides."""
    return filtered(samples, lambda f: 1 - _rise(f, hz - 100, hz + 100))


def telephone(samples: np.ndarray) -> np.ndarray:
    """300 to 3400 Hz (0 below 200 and above 3600), at 8 kHz in 8 bits of µ-law, as Lhotse's Narrowband has it."""
    band = filtered(samples, lambda f: _rise(f, 200, 300) * (1 - _rise(f, 3400, 3600)))
    sent = resample(torch.from_numpy(np.clip(band, -1, 1)), SAMPLE_RATE, _TELEPHONE_RATE)
    return resample(torch.from_numpy(_mu_law(sent.numpy())), _TELEPHONE_RATE, SAMPLE_RATE)[: len(samples)].numpy()


def _mu_law(samples: np.ndarray) -> np.ndarray:
    """Samples in ±1 after 8 bits whose steps grow with the amplitude (ITU-T G.711's curve, continuous)."""
    compressed = np.sign(samples) * np.log1p(_MU * np.abs(samples)) / np.log1p(_MU)
    levels = np.floor((compressed + 1) / 2 * _MU + 0.5) / _MU * 2 - 1
    return (np.sign(levels) * np.expm1(np.abs(levels) * np.log1p(_MU)) / _MU).astype(np.float32)


def _rise(hz: np.ndarray, low: float, high: float) -> np.ndarray:
    """From 0 to 1, as a raised cosine."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((hz - low) / (high - low), 0, 1))


def tilted(samples: np.ndarray, db: float) -> np.ndarray:
    """A spectrum that rises by so many dB from 300 to 3000 Hz, or falls.

    In dB it is a straight line over the logarithm of the frequency from 100 Hz to 8 kHz, with 0 dB at 1 kHz; below 100
    Hz it is level. Our choice.
    """
    return filtered(samples, lambda f: 10 ** (db / 20 * np.log10(np.maximum(f, 100) / 1000)))


def differenced(samples: np.ndarray) -> np.ndarray:
    """x_t − x_{t−1}/2: 6 dB softer at 0 Hz, 3.5 dB louder at 8 kHz."""
    return samples - np.float32(0.5) * np.concatenate([samples[:1] * 0, samples[:-1]])


def no_opus() -> str | None:
    """Why `opus` cannot be had here; None: it can."""
    if "OPUS" in soundfile.available_subtypes("OGG"):
        return None
    return f"libsndfile {soundfile.__libsndfile_version__} writes no Opus"


def opus(samples: np.ndarray) -> np.ndarray:
    """Through Opus at 16 kbit/s, of a variable rate (RFC 6716; Lhotse's Compress)."""
    low, high = _OPUS_KBITS
    level = 1 - (OPUS_KBITS - low) / (high - low)
    heard = Compress("opus", level)(samples[None], SAMPLE_RATE)[0]
    return np.pad(heard, (0, max(0, len(samples) - len(heard))))[: len(samples)]
