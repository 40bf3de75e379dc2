"""What microphones, lines and other talkers do to speech, drawn anew whenever it is learnt from: on its log-mels.

A gain, a tilt and an equaliser are constants on each channel of the log-mels; what a narrow band leaves out falls to
the rounding noise of samples; and of two sounds at once a channel has the energy of the louder one, nearly (the maximum
of logarithms, Nádas et al. 1989). So it costs next to nothing, in training, where the samples are no longer at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, reduce

import numpy as np

from understudy.features.logmel import NUM_MELS, centres, logmel
from understudy.step import UserError

_NATS = np.log(10) / 10
"""of energy, in a decibel"""
_COSINES = 5  # of a random equaliser: the steepest changes within a tenth of the channels


@dataclass
class ChannelOptions:
    """Random gains, tilts, equalisers, narrow bands and babble (the numbers are our choice)."""

    share: float = 0.8
    """of the spans that are heard through another channel; 0: none, and no babble either"""
    gain: tuple[float, float] = (-30.0, 15.0)
    """least and most, dB"""
    tilt: float = 10.0
    """most, from the lowest to the highest channel, either way, dB"""
    equaliser: float = 3.0
    """standard deviation of a smooth random curve, dB"""
    narrow: float = 0.15
    """share of those spans that are heard in a narrow band"""
    babble: float = 0.25
    """share of those spans that are heard with other talkers of the set beneath"""
    snr: tuple[float, float] = (5.0, 20.0)
    """least and most signal-to-noise ratio of that, dB"""
    talkers: int = 4
    """most of the other talkers at once"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        for name in ("share", "narrow", "babble"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise UserError(f"--train.channel.{name} must be from 0 to 1, got {value:g}")
        for name in ("gain", "snr"):
            low, high = getattr(self, name)
            if low > high:
                raise UserError(f"--train.channel.{name} must be the least and the most, got [{low:g}, {high:g}]")
        if min(self.tilt, self.equaliser) < 0 or self.talkers < 1:
            raise UserError("--train.channel: tilt and equaliser must be 0 or more, talkers 1 or more")

    def heard(
        self, logmels: np.ndarray, rng: np.random.Generator, other: Callable[[], np.ndarray] | None = None
    ) -> np.ndarray:
        """An utterance, or its beginning, (frames, mels) float32, as it may be heard elsewhere.

        Args:
            other: gives log-mels of another talker, one of some at random; None: there is none.
        """
        if rng.random() >= self.share:
            return logmels
        if other is not None and rng.random() < self.babble:
            logmels = np.maximum(logmels, self._babble(logmels, rng, other))
        floor = _rounding_noise() + np.float32(rng.uniform(-5, 3))  # rounded, dithered, or not at all
        return np.maximum(logmels + self._response(rng), floor)

    def _babble(self, logmels: np.ndarray, rng: np.random.Generator, other: Callable[[], np.ndarray]) -> np.ndarray:
        """Others at once, (frames, mels), so much softer than the utterance."""

        def talker() -> np.ndarray:
            one = other()
            begin = int(rng.integers(len(one)))
            # from there again where it ends
            return np.resize(one[begin:] if begin < len(one) // 2 else one, logmels.shape)

        talk = reduce(np.maximum, (talker() for _ in range(rng.integers(1, self.talkers + 1))))
        return talk + (_level(logmels) - _level(talk) - np.float32(_NATS * rng.uniform(*self.snr)))

    def _response(self, rng: np.random.Generator) -> np.ndarray:
        """(mels,) float32 nats that a channel adds."""
        at = (np.arange(NUM_MELS) + 0.5) / NUM_MELS
        curve = np.cos(np.pi * at[:, None] * np.arange(1, _COSINES + 1)) @ rng.normal(size=_COSINES)
        response = rng.uniform(*self.gain) + rng.uniform(-self.tilt, self.tilt) * (at - 0.5)
        response = response + curve * self.equaliser * np.sqrt(2 / _COSINES)
        if rng.random() < self.narrow:
            low, high = rng.uniform(0, 400), rng.uniform(2800, 5500)  # Hz, around a telephone's 300 to 3400
            outside = (centres() < low) | (centres() > high)
            response = response - outside * rng.uniform(20, 80)
        return (_NATS * response).astype(np.float32)


def _level(logmels: np.ndarray) -> np.float32:
    """Log of the mean energy of a frame's channels."""
    peak = logmels.max()
    return peak + np.log(np.mean(np.exp(logmels - peak)))


@cache
def _rounding_noise() -> np.ndarray:
    """(mels,) float32: mean log-mels of what rounding to 16 bits adds, noise that is even within half a step."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000) / 32768
    return logmel(noise.astype(np.float32)).mean(0)
