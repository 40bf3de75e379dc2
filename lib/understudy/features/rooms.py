"""Rooms and loudness: what speech is heard through, on samples, (length,) float32 at 16 kHz."""

from __future__ import annotations

import numpy as np
import torch

from understudy.features.frames import SAMPLE_RATE
from understudy.features.impulse_response import SOUND_SPEED, random_response


def make_room(seed: int) -> np.ndarray:
    """A random room's impulse response of unit energy, (taps,) float32, from the direct sound on."""
    response, distance = random_response(seed)
    direct = response[round(distance * SAMPLE_RATE / SOUND_SPEED) :]
    return (direct / np.sqrt(np.sum(direct**2))).astype(np.float32)


def make_rooms(number: int, seed: int) -> np.ndarray:
    """Some rooms, (rooms, taps) float32, padded to the longest."""
    rooms = [make_room(seed * 1000 + index) for index in range(number)]
    taps = max(len(room) for room in rooms)
    return np.stack([np.pad(room, (0, taps - len(room))) for room in rooms])


def reverberate(speech: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Speech in a room, of the same length and time: the room's first tap is its direct sound."""
    size = fast_length(len(speech) + len(room) - 1)
    product = torch.fft.rfft(torch.from_numpy(speech), size) * torch.fft.rfft(torch.from_numpy(room), size)
    return torch.fft.irfft(product, size)[: len(speech)].numpy()


def unit(signal: np.ndarray) -> np.ndarray:
    """The signal at power 1; silence stays silence."""
    return signal / np.float32(max(float(np.sqrt(np.mean(signal**2))), 1e-6))


def fast_length(length: int) -> int:
    """The next length that is m · 2ⁿ with m up to 16: quick to transform, at most an eighth longer."""
    step = 1 << max(length.bit_length() - 4, 0)
    return -(-length // step) * step
