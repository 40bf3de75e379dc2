"""The same speech heard elsewhere: in rooms and in noise, time unchanged, so that its soft targets still fit.

Our choice of a student's harder task (method: the student sees augmented audio while the teacher saw the clean one).
"""

from __future__ import annotations

import zlib
from functools import reduce

import numpy as np
from lhotse.cut import Cut

from understudy.features.extract import load_samples
from understudy.features.frames import SAMPLE_RATE
from understudy.features.options import RoomNoiseOptions
from understudy.features.rooms import reverberate, unit
from understudy.step import UserError

_CLIPPED = 0.99  # of full scale


class RoomNoise:
    """Puts an utterance into a room and into noise; which ones depends on the seed and the cut's id alone."""

    def __init__(
        self, options: RoomNoiseOptions, rooms: np.ndarray, noises: list[Cut], talkers: int, seed: int
    ) -> None:
        """Take what has been prepared.

        Args:
            rooms: (rooms, taps) float32, of `rooms.make_rooms`.
            noises: where noise is taken from: noise, or speech for babble.
            talkers: so many of them at once.

        Raises:
            UserError: options that make no sense.
        """
        low, high = options.snr
        if not (0 <= options.in_room <= 1 and 0 <= options.in_noise <= 1):
            raise UserError(f"in_room {options.in_room}, in_noise {options.in_noise}: shares are between 0 and 1")
        if low > high or talkers < 1 or (options.in_noise > 0 and not noises):
            raise UserError(f"snr [{low}, {high}], {talkers} talkers, {len(noises)} noises: there is nothing to draw")
        self.options, self.rooms, self.noises, self.talkers, self.seed = options, rooms, noises, talkers, seed

    def __call__(self, cut: Cut, speech: np.ndarray) -> np.ndarray:
        """(length,) float32 to the same length; speech keeps its loudness, unless that would clip."""
        rng = np.random.default_rng([self.seed, zlib.crc32(cut.id.encode())])
        heard, level = speech, float(np.sqrt(np.mean(speech**2)))
        if level == 0:
            return speech  # digital silence has no signal-to-noise ratio
        if rng.random() < self.options.in_room:
            heard = reverberate(speech, self.rooms[rng.integers(len(self.rooms))])
        heard = unit(heard)
        if rng.random() < self.options.in_noise:
            noise = unit(reduce(np.add, (unit(self._noise(cut, len(speech), rng)) for _ in range(self.talkers))))
            heard = heard + noise * np.float32(10 ** (-rng.uniform(*self.options.snr) / 20))
        return heard * np.float32(min(level, _CLIPPED / np.abs(heard).max()))

    def _noise(self, speech: Cut, length: int, rng: np.random.Generator) -> np.ndarray:
        """Pieces of noises, one after another from a random place on, until there are `length` samples."""
        pieces, left = [], length
        while left > 0:
            noise = self.noises[rng.integers(len(self.noises))]
            if noise.id == speech.id and len(self.noises) > 1:
                continue  # an echo is no noise
            available = int(noise.duration * SAMPLE_RATE)
            taken = min(left, available)
            offset = int(rng.integers(available - taken + 1)) / SAMPLE_RATE
            samples = load_samples(noise.truncate(offset=offset, duration=taken / SAMPLE_RATE))[:left]
            pieces.append(samples)
            left -= len(samples)
        return np.concatenate(pieces)
