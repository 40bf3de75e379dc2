"""Sounds that are no speech, (length,) float32 at 16 kHz at power 1: what a recogniser should not hear words in.

A student is measured on these; it learns from those of `understudy.features.nonspeech`, which are drawn otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import fast_length, unit

Sound = Callable[[int, np.random.Generator], np.ndarray]
"""So many samples, drawn."""

_BEAT = SAMPLE_RATE // 2  # 120 a minute
_MAJOR = (0, 2, 4, 5, 7, 9, 11)  # semitones of the scale
_CHORDS = (0, 4, 5, 3)  # steps of the scale that I, V, vi and IV stand on
_HARMONICS = 8


def white(length: int, rng: np.random.Generator) -> np.ndarray:
    """Gaussian, the same power at all frequencies."""
    return unit(rng.standard_normal(length, dtype=np.float32))


def pink(length: int, rng: np.random.Generator) -> np.ndarray:
    """Gaussian, the same power in each octave from 20 Hz on: −3 dB an octave."""
    size = fast_length(length)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    spectrum *= np.where(hz < 20, 0, 1 / np.sqrt(np.maximum(hz, 20)))
    return unit(np.fft.irfft(spectrum, size)[:length].astype(np.float32))


def hum(length: int, rng: np.random.Generator, hz: float) -> np.ndarray:
    """Of the mains: twenty harmonics whose amplitudes fall as 1/k, with any phases."""
    return unit(_harmonics(np.full(length, hz), 20, rng.uniform(0, 2 * np.pi, 20)).astype(np.float32))


def beeps(length: int, rng: np.random.Generator) -> np.ndarray:
    """Tones of 300 to 3000 Hz that last 0.1 to 0.6 s, with silence of 0.1 to 1 s after each."""
    out, at = np.zeros(length), 0
    while at < length:
        lasts, pause = (int(s * SAMPLE_RATE) for s in (rng.uniform(0.1, 0.6), rng.uniform(0.1, 1.0)))
        tone = _tone(300 * 10 ** rng.uniform(0, 1), lasts) * _ramped(lasts)
        out[at : at + lasts] += tone[: length - at]
        at += lasts + pause
    return unit(out.astype(np.float32))


def tune(length: int, rng: np.random.Generator) -> np.ndarray:
    """A melody in eighths over chords and a bass, with drums: 120 beats a minute, a key that is drawn."""
    out, key, step = np.zeros(length + 8 * _BEAT), 48 + int(rng.integers(12)), 7
    for beat in range(-(-length // _BEAT)):
        at, chord = beat * _BEAT, _CHORDS[beat // 4 % len(_CHORDS)]
        if beat % 4 == 0:
            for third in (0, 2, 4):
                _add(out, at, 0.25 * _note(_pitch(key, chord + third), 4 * _BEAT, 2.0))
        _add(out, at, 0.5 * _note(_pitch(key - 12, chord), _BEAT, 0.4))
        for eighth in (0, 1):
            step = int(np.clip(step + rng.integers(-2, 3), 4, 14))
            if rng.random() < 0.85:  # or a rest
                _add(out, at + eighth * _BEAT // 2, 0.5 * _note(_pitch(key, step), _BEAT // 2, 0.3))
            _add(out, at + eighth * _BEAT // 2, 0.1 * _burst(0.03, rng))
        _add(out, at, 0.5 * _burst(0.1, rng) if beat % 2 else _kick())
    return unit(out[:length].astype(np.float32))


def _pitch(key: int, step: int) -> float:
    """Hz of a step of the scale, which goes on above and below (MIDI numbers: 69 is 440 Hz)."""
    octave, within = divmod(step, len(_MAJOR))
    return 440 * 2 ** ((key + 12 * octave + _MAJOR[within] - 69) / 12)


def _note(hz: float, length: int, decay: float) -> np.ndarray:
    """Of something that is plucked; decay in seconds."""
    time = np.arange(length) / SAMPLE_RATE
    return _harmonics(np.full(length, hz), _HARMONICS, np.zeros(_HARMONICS)) * np.exp(-time / decay) * _ramped(length)


def _kick() -> np.ndarray:
    time = np.arange(SAMPLE_RATE // 5) / SAMPLE_RATE
    return _harmonics(50 + 70 * np.exp(-time / 0.03), 1, np.zeros(1)) * np.exp(-time / 0.07)


def _burst(decay: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(int(4 * decay * SAMPLE_RATE)) / SAMPLE_RATE
    return rng.standard_normal(len(time)) * np.exp(-time / decay)


def _harmonics(hz: np.ndarray, number: int, phases: np.ndarray) -> np.ndarray:
    """Sines at multiples of a course of frequencies (length,), below 8 kHz, amplitudes 1/k."""
    turned = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE
    kept = range(1, 1 + min(number, int(0.499 * SAMPLE_RATE / hz.max())))
    return sum(np.sin(k * turned + phases[k - 1]) / k for k in kept)


def _tone(hz: float, length: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(length) / SAMPLE_RATE)


def _ramped(length: int) -> np.ndarray:
    """1, rising and falling within 5 ms, so that nothing clicks."""
    ends = np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.005 * SAMPLE_RATE)
    return np.minimum(ends, 1)


def _add(out: np.ndarray, at: int, sound: np.ndarray) -> None:
    out[at : at + len(sound)] += sound[: max(0, len(out) - at)]
