"""Sounds are what they are called, by their spectra, and the same for the same seed."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from understudy.features import sounds

RATE = 16000
ALL = {
    "white": sounds.white, "pink": sounds.pink, "hum": partial(sounds.hum, hz=50.0), "beeps": sounds.beeps,
    "tune": sounds.tune,
}  # fmt: skip


def made(name: str, seconds: float = 8, seed: int = 1) -> np.ndarray:
    return ALL[name](round(seconds * RATE), np.random.default_rng(seed))


def density(sound: np.ndarray, low: float, high: float) -> float:
    """Mean power of the spectrum in a band, dB."""
    spectrum, hz = np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / RATE)
    return 10 * np.log10(spectrum[(hz >= low) & (hz < high)].mean())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("length", [1, 8001, 5 * RATE])
def test_all_have_their_length_and_power_1(name: str, length: int) -> None:
    sound = made(name, length / RATE)
    assert sound.shape == (length,) and sound.dtype == np.float32 and np.isfinite(sound).all()
    assert length < 100 or np.mean(sound.astype(np.float64) ** 2) == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(sound, made(name, length / RATE))
    assert length < 100 or not np.array_equal(sound, made(name, length / RATE, seed=2))


def test_white_is_level_and_pink_falls_by_3_db_an_octave() -> None:
    for name, fall in (("white", 0.0), ("pink", 3.01)):
        sound = made(name, 30)
        levels = [density(sound, hz, 2 * hz) for hz in (100, 200, 400, 800, 1600, 3200)]
        np.testing.assert_allclose(-np.diff(levels), fall, atol=0.4)


def test_hum_has_its_harmonics_alone() -> None:
    for hz in (50.0, 60.0):
        sound = sounds.hum(4 * RATE, np.random.default_rng(0), hz)
        spectrum = np.abs(np.fft.rfft(sound)) ** 2
        at = [round(4 * hz * k) for k in range(1, 21)]
        assert spectrum[at].sum() > 0.999 * spectrum.sum()
        np.testing.assert_allclose(np.sqrt(spectrum[at] / spectrum[at[0]]), 1 / np.arange(1, 21), rtol=1e-2)


def test_beeps_are_single_tones_with_pauses() -> None:
    sound = made("beeps", 60)
    quiet = sound == 0
    assert 0.3 < quiet.mean() < 0.8
    starts = np.flatnonzero(np.diff(quiet.astype(int)) == -1)
    assert 40 < np.sum(np.diff(starts) > 0.1 * RATE) < 100
    assert density(sound, 300, 3000) > density(sound, 4000, 8000) + 30


def test_a_tune_has_a_beat_and_other_notes_in_each_bar() -> None:
    sound = made("tune", 16)
    envelope = np.abs(sound[: 16 * RATE]).reshape(-1, 400).mean(1)  # of 25 ms
    envelope = envelope - envelope.mean()
    beat = [float(envelope[:-lag] @ envelope[lag:]) for lag in (20, 40)]  # after a beat, and after two
    assert beat[1] > 0.5 * float(envelope @ envelope)
    bars = [np.abs(np.fft.rfft(bar))[200:4000] for bar in sound.reshape(8, -1)]
    assert all(np.corrcoef(one, other)[0, 1] < 0.95 for one, other in pairwise(bars))
