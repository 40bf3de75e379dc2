"""Impulse responses of random rooms: reflections drawn by chance, not from walls (FRAM-RIR, arXiv:2208.04101).

Lhotse has the same method as `FastRandomRIRGenerator`. That wants torchaudio, which does not load beside every torch.
This one gives the same responses (a test compares them), so that a corpus is the same wherever it is made.
"""

from __future__ import annotations

import numpy as np
import torch
from lhotse.augmentation.resample import Resample

from understudy.features.frames import SAMPLE_RATE

SOUND_SPEED = 340.0
"""metres a second"""
LONGEST_T60 = 0.6
"""seconds until the reverberation has fallen by 60 dB, at most"""
_SHORTEST_T60 = 0.1
_RATIOS = (0.1, 1.2)  # of the room's volume to its surface, metres
_DISTANCES = (0.2, 12.0)  # between mouth and microphone, metres
_REFLECTIONS = 2 * SAMPLE_RATE
_OVERSAMPLED = 8  # twice: reflections are placed at 64 times the sampling rate
_HIGH_PASS = 80.0  # Hz
_EPSILON = np.finfo(np.float16).eps


def random_response(seed: int) -> tuple[np.ndarray, float]:
    """A room's impulse response, (taps,) float32 at 16 kHz, and the distance from mouth to microphone in metres.

    The direct sound comes at the time that sound takes for the distance.
    """
    room, source = np.random.default_rng(seed), np.random.default_rng(seed)
    t60, ratio, distance = room.uniform(_SHORTEST_T60, LONGEST_T60), room.uniform(*_RATIOS), source.uniform(*_DISTANCES)
    longest = SOUND_SPEED * t60
    stretches = _stretches(longest / distance - 1, seed)
    kept = np.sqrt(1 - (1 - np.exp(-0.16 * ratio / t60)) ** 2)  # of the amplitude at each reflection (Eyring)
    walls = _walls(stretches, distance, longest, kept, source)

    distances = distance * np.concatenate([[1.0], stretches])
    rate = SAMPLE_RATE * _OVERSAMPLED**2
    comb = np.zeros(int(np.ceil(rate * t60)), np.float32)
    places = np.minimum(np.ceil(distances * rate / SOUND_SPEED).astype(int), len(comb) - 1)
    comb[places] = kept**walls / distances  # of reflections that fall on one sample, the last one stays, as in Lhotse
    return _at_16k(comb), distance


def _stretches(most: float, seed: int) -> np.ndarray:
    """How many times longer than the direct way each reflection's way is: more often long than short."""
    weights = torch.linspace(0.25, 1.0, _REFLECTIONS).pow(2)
    generator = torch.Generator().manual_seed(seed)
    drawn = (weights / weights.sum()).multinomial(_REFLECTIONS, replacement=True, generator=generator)
    return torch.linspace(1.0, most, _REFLECTIONS)[drawn].numpy().astype(np.float64)


def _walls(
    stretches: np.ndarray, distance: float, longest: float, kept: float, source: np.random.Generator
) -> np.ndarray:
    """How many walls each way meets, not a whole number: 0 for the direct one, at least 1 for the others."""
    most = (np.log10(longest) - np.log10(distance) - 3) / np.log10(kept + _EPSILON)
    expected = (distance * stretches / longest) ** 2 * (most - 1) + 1
    chance = source.uniform(-2.0, 2.0, _REFLECTIONS) * stretches**0.2
    return np.concatenate([[0.0], np.maximum(expected + chance, 1.0)])


def _at_16k(comb: np.ndarray) -> np.ndarray:
    """What reflections become at 16 kHz, without what is below 80 Hz."""
    middle = SAMPLE_RATE * _OVERSAMPLED
    response = Resample(middle * _OVERSAMPLED, middle)(torch.from_numpy(comb)[None])[0].numpy()
    passed = _high_passed(response, middle).astype(np.float32)
    return Resample(middle, SAMPLE_RATE)(torch.from_numpy(passed)[None])[0].numpy()


def _high_passed(samples: np.ndarray, rate: int) -> np.ndarray:
    """Through a second-order Butterworth high-pass (a bilinear transform with Q = √½), by its transfer function.

    A tenth of a second of silence follows the samples; by then nothing of the filter's memory is left.
    """
    omega = 2 * np.pi * _HIGH_PASS / rate
    alpha, cosine = np.sin(omega) * np.sqrt(0.5), np.cos(omega)
    size = len(samples) + rate // 10
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    above = (1 + cosine) / 2 * (1 - delay) ** 2
    below = 1 + alpha - 2 * cosine * delay + (1 - alpha) * delay**2
    return np.fft.irfft(np.fft.rfft(samples, size) * above / below, size)[: len(samples)]
