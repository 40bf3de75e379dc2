"""Levels of speech, by utterance, speaker and set: measured block by block while audio is read."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DIFFERENT = 10.0  # dB between two speakers, or sets, that is told
SILENT = -60.0  # dBFS; below this no speech is to be heard
_FRAME = 0.02  # seconds
_ACTIVE = 30.0  # dB below the loudest frame
_FULL = 0.9999  # of full scale: 3 of 32768 steps below it
_RUN = 3  # samples there in a row; speech that is normalised to its peak has one
_NAMED = 5  # utterances

_LEVELS_DO = (
    "Features are normalised online, so that the level itself does no harm; but what is soft was often recorded nearer "
    "to the noise floor, or is rounded to few bits, and what is loud may be clipped. Listen to both."
)

_LOUDEST = 4.0
"""Of samples that should lie within ±1: resampling may go a little beyond, another scale goes far."""


def on_another_scale(samples: np.ndarray) -> str | None:
    """What to say of samples, (length,) float32, that are not on the scale of ±1, as float files may hold them."""
    if not len(samples) or (loudest := float(np.abs(samples).max())) <= _LOUDEST:
        return None
    way = "Divide them by 32768, or write the file with 16 bits."
    return f"has samples of up to {loudest:g}, where ±1 is the limit. {way}"


class Meter:
    """The level of one utterance's speech, from its samples in the order of time.

    It is the RMS of all frames of 20 ms (each without its mean) that are within 30 dB of the loudest one: pauses do not
    count. This is our choice, and simpler than ITU-T P.56, whose active level it comes near to. A frame takes 4 bytes.
    """

    def __init__(self, rate: int) -> None:
        self.clipped = False
        """whether 3 samples in a row are at full scale"""
        self._frame = round(_FRAME * rate)
        self._rest = np.zeros(0, np.float32)
        self._powers: list[np.ndarray] = []
        self._full = np.zeros(0, bool)
        self._samples = hashlib.blake2b(digest_size=8)

    def add(self, samples: np.ndarray) -> None:
        """Hear the next samples, (samples,) float32, full scale ± 1."""
        self._samples.update(np.asarray(samples, np.float32).tobytes())
        heard = np.concatenate([self._rest, samples])
        whole = len(heard) // self._frame * self._frame
        self._powers.append(heard[:whole].reshape(-1, self._frame).var(axis=1))
        self._rest = heard[whole:]
        full = np.concatenate([self._full, np.abs(samples) >= _FULL])
        self.clipped |= bool(np.logical_and.reduce([full[i : len(full) - _RUN + 1 + i] for i in range(_RUN)]).any())
        self._full = full[1 - _RUN :]

    @property
    def digest(self) -> bytes:
        """Of all samples, 8 bytes: by accident two utterances of 10 million have one once in 400 000 corpora."""
        return self._samples.digest()

    @property
    def pauses(self) -> float:
        """Share of frames that are not speech, which is within 30 dB of the loudest; 1 of digital silence."""
        powers = np.concatenate([*self._powers, np.zeros(0, np.float32)])
        loudest = powers.max(initial=0.0)
        return 1.0 if loudest == 0 else float((powers < loudest * 10 ** (-_ACTIVE / 10)).mean())

    @property
    def level(self) -> float:
        """In dB of full scale (dBFS: that of a square wave is 0, of a sine −3); −∞ of digital silence."""
        powers = np.concatenate([*self._powers, np.zeros(0, np.float32)])
        if not len(powers) and len(self._rest):  # shorter than a frame
            powers = self._rest.var(keepdims=True)
        loudest = powers.max(initial=0.0)
        if loudest == 0:
            return -math.inf
        return 10 * math.log10(powers[powers >= loudest * 10 ** (-_ACTIVE / 10)].mean(dtype=float))


@dataclass
class Spread:
    """Mean and range of utterances' levels, dBFS."""

    utterances: int = 0
    total: float = 0.0
    softest: float = math.inf
    loudest: float = -math.inf

    @property
    def mean(self) -> float:
        """Of decibels, each utterance alike."""
        return self.total / self.utterances

    def add(self, other: Spread) -> None:
        """Take others' utterances in."""
        self.utterances += other.utterances
        self.total += other.total
        self.softest, self.loudest = min(self.softest, other.softest), max(self.loudest, other.loudest)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        values = {"mean": self.mean, "softest": self.softest, "loudest": self.loudest}
        return {"utterances": self.utterances, **{name: round(value, 1) for name, value in values.items()}}


@dataclass
class Named:
    """A number of utterances, of which the first are named."""

    utterances: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, utterance: str) -> None:
        """Count one more."""
        self.utterances += 1
        if len(self.first) < _NAMED:
            self.first.append(utterance)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {"utterances": self.utterances, "first": self.first}

    def __str__(self) -> str:
        return ", ".join(self.first) + (", …" if self.utterances > len(self.first) else "")


@dataclass
class Levels:
    """Of a set: it grows by speaker, not by utterance."""

    utterances: int = 0
    speakers: dict[str, Spread] = field(default_factory=dict)
    """without utterances that are silent"""
    clipped: Named = field(default_factory=Named)
    silent: Named = field(default_factory=Named)

    def add(self, utterance: str, speaker: str, meter: Meter) -> None:
        """Take in an utterance that was heard to its end."""
        self.utterances += 1
        if meter.clipped:
            self.clipped.add(utterance)
        level = meter.level
        if level < SILENT:
            self.silent.add(utterance)
        else:
            self.speakers.setdefault(speaker, Spread()).add(Spread(1, level, level, level))

    @property
    def whole(self) -> Spread:
        """Of all speakers together."""
        whole = Spread()
        for spread in self.speakers.values():
            whole.add(spread)
        return whole

    def in_words(self) -> str | None:
        """Mean and range in a sentence; None where nothing was heard."""
        if not self.speakers:
            return None
        means = {name: spread.mean for name, spread in self.speakers.items()}
        low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        whole = self.whole
        return (
            f"speech has {whole.mean:.1f} dBFS on average; speakers from {means[low]:.1f} ({low}) to "
            f"{means[high]:.1f} ({high}), utterances from {whole.softest:.1f} to {whole.loudest:.1f}"
        )

    def told(self) -> dict[str, Any] | None:
        """For JSON, levels in dBFS; None where no audio was read."""
        if not self.utterances:
            return None
        speakers = {name: spread.told() for name, spread in sorted(self.speakers.items())}
        rest = {"speakers": speakers, "clipped": self.clipped.told(), "silent": self.silent.told()}
        return {**(self.whole.told() if speakers else {"utterances": 0}), **rest}


def warnings(sets: Mapping[str, Levels]) -> list[str]:
    """What is to be said of the levels of sets, by their names: that they or speakers differ, clipping, silence."""
    whole = {name: levels.whole for name, levels in sets.items() if levels.speakers}
    by_set = {f"{name} ({spread.mean:.1f} dBFS)": spread.mean for name, spread in whole.items()}
    by_speaker = {
        f"{speaker} ({name}, {spread.mean:.1f} dBFS)": spread.mean
        for name, levels in sets.items()
        for speaker, spread in levels.speakers.items()
    }
    found = [*_different("sets", by_set), *_different("speakers", by_speaker)]
    for name, levels in sets.items():
        if levels.clipped.utterances:
            found.append(
                f"{name}: {levels.clipped.utterances} of {levels.utterances} utterances are clipped ({_RUN} samples or "
                f"more in a row at full scale): {levels.clipped}. What is cut off is lost to recognition, whatever the "
                "level; record them softer where you can, or leave them out."
            )
        if levels.silent.utterances:
            found.append(
                f"{name}: {levels.silent.utterances} of {levels.utterances} utterances are silent, or nearly so (below "
                f"{SILENT:.0f} dBFS): {levels.silent}. Fetch their audio again, or leave them out: their words are "
                "taught on nothing."
            )
    return found


def _different(what: str, means: dict[str, float]) -> list[str]:
    """One sentence on the softest and the loudest, where they are far apart."""
    if not means:
        return []
    softest, loudest = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    if (apart := means[loudest] - means[softest]) <= DIFFERENT:
        return []
    return [f"levels of {what} differ by {apart:.1f} dB: the softest is {softest}, the loudest {loudest}. {_LEVELS_DO}"]
