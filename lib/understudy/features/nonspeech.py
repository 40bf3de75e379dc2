"""Sounds that are no speech, synthesised: what a model should hear as silence, whatever it is.

Every sound draws its parameters widely, so that what is learnt from them is "not speech", not those sounds (our choice;
corpora of recorded noise, MUSAN say, serve as well: any manifest of cuts without words does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut
from lhotse.cut import Cut

from understudy.corpus.build import Utterance, build_cut
from understudy.features.extract import load_samples
from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import fast_length, make_room, reverberate, unit
from understudy.step import UserError, atomic_path, log

SPEAKER = "nonspeech"
SECONDS = (2.0, 8.0)
"""shortest and longest sound"""
LEVELS = (-50.0, -10.0)
"""least and most loudness, dB of full scale (root mean square)"""
TALKERS = (6, 10)
"""least and most talkers in babble"""
_IN_ROOM = 0.3  # share of sounds that are heard in a room
_LAYERED = 0.25  # share of sounds under which there is another one
_PEAK = 0.99

Sound = Callable[[int, np.random.Generator], np.ndarray]
"""Samples to make, and chance, to (samples,) of any level."""


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _seconds(length: int) -> np.ndarray:
    return np.arange(length) / SAMPLE_RATE


def _shaped(noise: np.ndarray, decibels: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Noise with a spectrum of `decibels` of frequencies (Hz)."""
    size = fast_length(len(noise))
    spectrum = np.fft.rfft(noise, size)
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum * 10 ** (decibels(frequencies) / 20), size)[: len(noise)]


def _coloured(length: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of a random spectral envelope: a tilt, and bands up to 20 dB above or below it."""
    knots = np.geomspace(50, 8000, int(rng.integers(2, 12)))
    heights, tilt = rng.uniform(-20, 20, len(knots)) * rng.random(), rng.uniform(-9, 3)

    def decibels(frequencies: np.ndarray) -> np.ndarray:
        octaves = np.log2(np.maximum(frequencies, 50))
        return np.interp(octaves, np.log2(knots), heights) + tilt * (octaves - np.log2(50))

    return _shaped(rng.standard_normal(length), decibels)


def _wandering(length: int, rng: np.random.Generator, rate: float, spread: float) -> np.ndarray:
    """(length,) that wanders about 0 with a deviation of `spread`, `rate` new values a second."""
    values = rng.normal(0, spread, max(2, int(length / SAMPLE_RATE * rate) + 2))
    return np.interp(np.linspace(0, len(values) - 1, length), np.arange(len(values)), values)


def _modulated(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sound that swells, trembles, comes in bursts, or stays as it is."""
    times = _seconds(len(sound))
    if rng.random() < 0.4:  # slow
        sound = sound * 10 ** (_wandering(len(sound), rng, _log_uniform(rng, 0.3, 4), rng.uniform(1, 8)) / 20)
    if rng.random() < 0.4:  # fast
        wave = np.sin(2 * np.pi * _log_uniform(rng, 2, 80) * times + rng.uniform(0, 6))
        sound = sound * (1 + rng.random() * wave)
    if rng.random() < 0.25:
        sound = sound * _gate(times, rng)
    return sound


def _gate(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """On and off in turn, (times,) from 0 to 1 with soft edges."""
    period, on = _log_uniform(rng, 0.08, 2.0), rng.uniform(0.2, 0.9)
    phase = (times / period + rng.random()) % 1.0 * period
    edge = min(_log_uniform(rng, 0.002, 0.05), on * period / 2)
    return np.clip(np.minimum(phase, on * period - phase) / edge, 0, 1)


def _harmonics(phase: np.ndarray, pitch: float, rng: np.random.Generator, most: int = 40) -> np.ndarray:
    """A tone with overtones below 7.8 kHz, of its phase in turns; each overtone is as loud as chance will."""
    number = max(1, min(int(rng.integers(1, most + 1)), int(7800 / max(pitch, 1))))
    falls, odd = rng.uniform(0, 2.5), rng.random() < 0.2
    sound = np.zeros(len(phase))
    for n in range(1, number + 1, 2 if odd else 1):
        sound += n**-falls * rng.uniform(0.1, 1) * np.sin(2 * np.pi * (n * phase + rng.random()))
    return sound


def noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of a random colour, steady or not."""
    return _modulated(_coloured(length, rng), rng)


def hum(length: int, rng: np.random.Generator) -> np.ndarray:
    """Mains and transformers: a low pitch that stays, with overtones and a little noise."""
    pitch = float(rng.choice([50, 60, 100, 120, _log_uniform(rng, 40, 200)]))
    sound = unit(_harmonics(pitch * _seconds(length), pitch, rng))
    return sound + unit(_coloured(length, rng)) * 10 ** (rng.uniform(-50, -6) / 20)


def tone(length: int, rng: np.random.Generator) -> np.ndarray:
    """One to three pure tones that stay, or beep."""
    times, sound = _seconds(length), np.zeros(length)
    for _ in range(int(rng.integers(1, 4))):
        sound += rng.uniform(0.2, 1) * np.sin(2 * np.pi * (_log_uniform(rng, 80, 7500) * times + rng.random()))
    return sound * _gate(times, rng) if rng.random() < 0.6 else sound


def sweep(length: int, rng: np.random.Generator) -> np.ndarray:
    """Chirps and sirens: a pitch that goes up and down, again and again, straight or in waves."""
    times, period = _seconds(length), _log_uniform(rng, 0.1, 6.0)
    low, high = np.sort([_log_uniform(rng, 100, 6000) for _ in range(2)])
    turns = times / period + rng.random()
    ways = (turns % 1, 1 - turns % 1, np.abs(2 * (turns % 1) - 1), 0.5 + 0.5 * np.sin(2 * np.pi * turns))
    pitch = low * (high / low) ** ways[int(rng.integers(len(ways)))]
    sound = _harmonics(np.cumsum(pitch) / SAMPLE_RATE, high, rng, 8)
    return sound * _gate(times, rng) if rng.random() < 0.3 else sound


def melody(length: int, rng: np.random.Generator) -> np.ndarray:
    """Notes and chords of a random instrument in a random scale, with or without percussion."""
    beat = 60 / rng.uniform(50, 220)
    steps = np.sort(rng.choice(12, int(rng.integers(4, 8)), replace=False))
    root, chord, sound = rng.uniform(30, 66), int(rng.integers(1, 5)), np.zeros(length)
    seed, percussion, begin = int(rng.integers(2**31)), rng.random() < 0.4, -rng.random() * beat
    vibrato = rng.uniform(3, 8), rng.uniform(0, 0.02) * (rng.random() < 0.5)
    attack, decay = _log_uniform(rng, 0.002, 0.2), _log_uniform(rng, 0.05, 3.0)
    while begin < length / SAMPLE_RATE:
        lasts = beat * float(rng.choice([0.5, 1, 1, 2, 4]))
        if rng.random() < 0.9:  # else a rest
            for _ in range(int(rng.integers(1, chord + 1))):
                key = root + 12 * int(rng.integers(0, 4)) + int(rng.choice(steps))
                instrument = np.random.default_rng(seed)  # the same for all notes
                _add(sound, begin, _note(440 * 2 ** ((key - 69) / 12), lasts, attack, decay, vibrato, instrument))
        if percussion:
            _add(sound, begin, rng.uniform(0.2, 1.5) * _struck(rng, noisy=True))
        begin += lasts
    return sound


def _note(
    pitch: float, lasts: float, attack: float, decay: float, vibrato: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    times = _seconds(int((lasts + min(decay, 1.0)) * SAMPLE_RATE))
    phase = pitch * (times + vibrato[1] / (2 * np.pi * vibrato[0]) * np.sin(2 * np.pi * vibrato[0] * times))
    loud = np.minimum(times / attack, 1) * np.exp(-times / decay) * np.clip((times[-1] - times) / 0.02, 0, 1)
    return _harmonics(phase, pitch, rng, 12) * loud


def _struck(rng: np.random.Generator, noisy: bool = False) -> np.ndarray:
    """Something that is hit: a few modes that die away, or a burst of noise."""
    decay = _log_uniform(rng, 0.0005, 0.3)
    times = _seconds(max(8, int(5 * decay * SAMPLE_RATE)))
    if noisy or rng.random() < 0.3:
        return _coloured(len(times), rng) * np.exp(-times / decay)
    sound = np.zeros(len(times))
    for _ in range(int(rng.integers(1, 6))):
        mode = np.sin(2 * np.pi * _log_uniform(rng, 60, 7500) * times + rng.uniform(0, 6))
        sound += rng.random() * mode * np.exp(-times / (decay * rng.uniform(0.2, 1)))
    return sound


def _add(sound: np.ndarray, begin: float, part: np.ndarray) -> None:
    """Add a part at `begin` seconds; what is before the beginning or past the end is left out."""
    at = round(begin * SAMPLE_RATE)
    part = part[max(0, -at) : max(0, len(sound) - at)]
    sound[max(0, at) : max(0, at) + len(part)] += part


def clicks(length: int, rng: np.random.Generator) -> np.ndarray:
    """Knocks, keys, clicks and crackle: things that are hit, one in two seconds or a hundred in one."""
    rate, sound = _log_uniform(rng, 0.5, 100), np.zeros(length)
    kinds = [_struck(rng) for _ in range(int(rng.integers(1, 6)))]
    if rng.random() < 0.3:  # as a clock does
        begins = np.arange(rng.random() / rate, length / SAMPLE_RATE, 1 / rate)
    else:
        begins = rng.uniform(0, length / SAMPLE_RATE, max(1, rng.poisson(rate * length / SAMPLE_RATE)))
    for begin in begins:
        _add(sound, float(begin), _log_uniform(rng, 0.1, 1) * kinds[int(rng.integers(len(kinds)))])
    return sound


def machine(length: int, rng: np.random.Generator) -> np.ndarray:
    """Motors and fans: overtones of a turning that wobbles a little, in its noise."""
    pitch = _log_uniform(rng, 20, 400)
    speed = pitch * (1 + _wandering(length, rng, _log_uniform(rng, 0.5, 10), _log_uniform(rng, 1e-4, 0.05)))
    phase = np.cumsum(speed) / SAMPLE_RATE
    beating = 1 + rng.random() * np.sin(2 * np.pi * phase / int(rng.integers(1, 8)))
    sound = unit(_harmonics(phase, pitch, rng)) + rng.uniform(0, 1.5) * unit(_coloured(length, rng))
    return sound * beating


def weather(length: int, rng: np.random.Generator) -> np.ndarray:
    """Rain, as dense drops on noise; or wind, as low noise in gusts."""
    if rng.random() < 0.5:
        drops = np.zeros(length)
        drop, number = _struck(rng)[: SAMPLE_RATE // 50], int(_log_uniform(rng, 50, 1500) * length / SAMPLE_RATE)
        np.add.at(drops, rng.integers(0, length, number), rng.exponential(1, number))
        return unit(np.convolve(drops, drop)[:length]) + rng.uniform(0.1, 2) * unit(_coloured(length, rng))
    corner, steep = _log_uniform(rng, 80, 1200), rng.uniform(6, 18)
    wind = _shaped(rng.standard_normal(length), lambda f: -steep * np.log2(np.maximum(f / corner, 1)))
    return wind * 10 ** (_wandering(length, rng, _log_uniform(rng, 0.4, 3), rng.uniform(2, 9)) / 20)


def quiet(length: int, rng: np.random.Generator) -> np.ndarray:
    """Nothing: digital silence, or noise that nobody hears. Its level is its own."""
    if rng.random() < 0.4:
        return np.zeros(length)
    return unit(_coloured(length, rng)) * 10 ** (rng.uniform(-95, LEVELS[0]) / 20)


def babble(speech: Sequence[Cut]) -> Sound:
    """Many talkers at once, played backwards: voices, and no words."""

    def talker(length: int, rng: np.random.Generator) -> np.ndarray:
        pieces, there = [], 0
        while there < length:
            pieces.append(unit(load_samples(speech[int(rng.integers(len(speech)))])))
            there += len(pieces[-1])
        offset = int(rng.integers(there - length + 1))
        return np.concatenate(pieces)[offset : offset + length][::-1]

    def sound(length: int, rng: np.random.Generator) -> np.ndarray:
        talkers = int(rng.integers(TALKERS[0], TALKERS[1] + 1))
        return reduce(np.add, (10 ** (rng.uniform(-6, 0) / 20) * talker(length, rng) for _ in range(talkers)))

    return sound


KINDS: dict[str, Sound] = {
    "noise": noise, "hum": hum, "tone": tone, "sweep": sweep, "melody": melody, "clicks": clicks, "machine": machine,
    "weather": weather, "quiet": quiet,
}  # fmt: skip
"""The sounds that need nothing else, by name."""


def make_sound(kinds: dict[str, Sound], kind: str, seed: list[int]) -> np.ndarray:
    """One sound, (samples,) float32 in ±1: of this kind, now and then on top of another one, or in a room."""
    rng = np.random.default_rng(seed)
    length = round(rng.uniform(*SECONDS) * SAMPLE_RATE)
    sound = kinds[kind](length, rng)
    if kind == "quiet":
        return sound.astype(np.float32)
    if rng.random() < _LAYERED:
        other = kinds[str(rng.choice(sorted(kinds.keys() - {kind, "quiet"})))](length, rng)
        sound = unit(sound) + unit(other) * 10 ** (rng.uniform(-20, 0) / 20)
    sound = sound.astype(np.float32)
    if rng.random() < _IN_ROOM:
        sound = reverberate(np.ascontiguousarray(sound), make_room(int(rng.integers(2**31))))
    sound = unit(sound) * np.float32(10 ** (rng.uniform(*LEVELS) / 20))
    return sound * np.float32(min(1.0, _PEAK / max(float(np.abs(sound).max()), 1e-6)))


def make_sounds(folder: Path, minutes: float, seed: int, speech: Sequence[Cut] = ()) -> Iterator[MonoCut]:
    """Write sounds as FLAC until there are so many minutes, every kind as often; those that are there are kept.

    Args:
        folder: of the audio.
        speech: cuts with audio that babble is made of; without them there is none.

    Returns:
        A cut without words of each, in order.

    Raises:
        UserError: there is nothing to make, or a cut of `speech` cannot be read.
    """
    if minutes <= 0:
        raise UserError(f"--minutes {minutes:g}: it must be above 0.")
    kinds = KINDS | ({"babble": babble(speech)} if speech else {})
    names, total, number = list(kinds), 0.0, 0
    while total < 60 * minutes:
        kind = names[number % len(names)]
        id = f"nonspeech-{number:05d}-{kind}"
        path = folder / f"{id}.flac"
        if not path.exists():
            _write(path, make_sound(kinds, kind, [seed, number]))
        cut = build_cut(Utterance(id, path, "", SPEAKER))
        yield cut
        total, number = total + cut.duration, number + 1
        if number % 100 == 0:
            log.info("%d sounds, %.1f of %g minutes", number, total / 60, minutes)


def _write(path: Path, sound: np.ndarray) -> None:
    with atomic_path(path) as partial:
        soundfile.write(partial, sound, SAMPLE_RATE, subtype="PCM_16")
