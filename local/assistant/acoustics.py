"""Rooms and noise: what lies between a synthesised mouth and a far microphone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from espeak import SAMPLE_RATE as ESPEAK_RATE
from espeak import Engine, Voice
from languages import Language
from lhotse.augmentation.resample import Resample

from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import fast_length, make_rooms, unit
from understudy.step import atomic_path

_COLOURS = {"white": 0.0, "pink": 0.5, "brown": 1.0}  # exponent of the amplitude's fall with frequency
_BABBLE_SECONDS = 30
_BABBLE_VOICES = 6


@dataclass(frozen=True)
class Bank:
    """Rooms, (rooms, taps) float32 starting at the direct sound, and babble, (tracks, samples) float32."""

    rooms: np.ndarray
    babble: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Bank:
        with np.load(path) as arrays:
            return cls(arrays["rooms"], arrays["babble"])

    def save(self, path: Path) -> None:
        with atomic_path(path) as tmp, tmp.open("wb") as file:
            np.savez(file, rooms=self.rooms, babble=self.babble)


def make_bank(language: Language, voices: list[Voice], num_rooms: int, num_tracks: int, seed: int) -> Bank:
    """Rooms, and babble of some voices in a language, from one seed."""
    tracks = [_babble(language, voices, seed * 1000 + index) for index in range(num_tracks)]
    return Bank(make_rooms(num_rooms, seed), np.stack(tracks))


def to_16k(samples: np.ndarray) -> np.ndarray:
    """eSpeak's int16 samples as float32 in [-1, 1) at 16 kHz, without delay (the filter is centred)."""
    signal = torch.from_numpy(samples.astype(np.float32) / 32768)
    return _resampler()(signal).numpy()


@lru_cache(maxsize=1)
def _resampler() -> Resample:
    return Resample(ESPEAK_RATE, SAMPLE_RATE)


def noise(bank: Bank, length: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit power, (length,) float32: white, pink or brown, or babble, or both mixed."""
    kind = rng.choice(["white", "pink", "brown", "babble", "mixed"])
    if kind == "babble":
        return _crop(bank.babble, length, rng)
    if kind == "mixed":
        return unit(_crop(bank.babble, length, rng) + _coloured(_COLOURS["pink"], length, rng))
    return _coloured(_COLOURS[kind], length, rng)


def add_noise(speech: np.ndarray, noise: np.ndarray, snr: float, level: float) -> np.ndarray:
    """Speech and noise at `snr` dB, with speech at `level` dB of full scale, without clipping."""
    mixed = unit(speech) + noise * np.float32(10 ** (-snr / 20))
    mixed *= np.float32(10 ** (level / 20))
    return mixed * np.float32(min(1.0, 0.99 / max(float(np.abs(mixed).max()), 1e-6)))


def _babble(language: Language, voices: list[Voice], seed: int) -> np.ndarray:
    rng, engine = np.random.default_rng([seed, 13]), Engine()
    length = _BABBLE_SECONDS * SAMPLE_RATE
    track = np.zeros(length, np.float32)
    for index in rng.choice(len(voices), size=min(_BABBLE_VOICES, len(voices)), replace=False):
        parts, total = [], 0
        while total < length * ESPEAK_RATE / SAMPLE_RATE + 1:
            parts.append(engine.say(language.grammar.sentence(rng), voices[index], language.voice)[0])
            total += len(parts[-1])
        track += unit(to_16k(np.concatenate(parts))[:length])
    return unit(track)


def _coloured(exponent: float, length: int, rng: np.random.Generator) -> np.ndarray:
    size = fast_length(length)
    white = rng.standard_normal(size, dtype=np.float32)
    if exponent == 0.0:
        return unit(white[:length])
    spectrum = torch.fft.rfft(torch.from_numpy(white))
    # Flat below 50 Hz, or the lowest bins would hold all the power.
    frequencies = torch.fft.rfftfreq(size, 1 / SAMPLE_RATE).clamp(min=50.0)
    return unit(torch.fft.irfft(spectrum * frequencies**-exponent, size)[:length].numpy())


def _crop(tracks: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    track = tracks[int(rng.integers(len(tracks)))]
    return unit(np.take(track, np.arange(length) + int(rng.integers(len(track))), mode="wrap"))
