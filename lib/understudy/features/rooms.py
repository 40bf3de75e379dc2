"""Rooms and loudness: what speech is heard through, on samples, (length,) float32 at 16 kHz."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from lhotse.augmentation.utils import FastRandomRIRGenerator

from understudy.features.frames import SAMPLE_RATE

_SOUND_SPEED = 340.0  # m/s, as in the generator of rooms


def make_room(seed: int) -> np.ndarray:
    """A random room's impulse response of unit energy, (taps,) float32, from the direct sound on (arXiv:2208.04101)."""
    with torch.random.fork_rng(), _one_thread():
        torch.manual_seed(seed)
        response = FastRandomRIRGenerator(sr=SAMPLE_RATE, max_T60=0.6, room_seed=seed, source_seed=seed)(1)[0]
    # The generator draws the distance first; the same draw says when the direct sound comes.
    distance = np.random.default_rng(seed).uniform(0.2, 12.0, size=(1,))[0]
    direct = response[round(distance * SAMPLE_RATE / _SOUND_SPEED) :]
    return (direct / np.sqrt(np.sum(direct**2))).astype(np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The generator writes reflections that fall on one sample over each other: with several threads chance decides."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
    """The next length that is m * 2**n with m up to 16: quick to transform, at most an eighth longer."""
    step = 1 << max(length.bit_length() - 4, 0)
    return -(-length // step) * step
