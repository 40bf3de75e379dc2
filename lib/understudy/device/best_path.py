"""What both searches have in common: beams, a best path and its words, and the scores that are kept for another try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .graph_arcs import Sequences

RETRIES = 2


class Beams(NamedTuple):
    """How far the search looks."""

    beam: float
    """nats"""
    min_active: int
    max_active: int

    def wider(self) -> Beams:
        """Twice as wide."""
        return Beams(2 * self.beam, self.min_active, 2 * self.max_active)


class Best(NamedTuple):
    """A best path."""

    labels: list[int]
    """senone of each frame"""
    words: list[int]


class OutputWords:
    """What the output numbers of a graph mean."""

    def __init__(self, words: list[str], base: int, sequences: Sequence[Sequence[int]]) -> None:
        """`words` by number; numbers from `base` on stand for `sequences` of words."""
        self._words, self.sequences = words, Sequences(base, map(tuple, sequences))

    def of_real_words(self) -> bool:
        """Whether there is a word for all numbers."""
        base, known = self.sequences.base, self.sequences.known
        return all(0 <= n < len(self._words) for n in (base - 1, *(n for each in known for n in each)))

    def ids(self, numbers: list[int]) -> list[int]:
        """Words of a path's output, by number."""
        return [word for number in numbers for word in self.sequences.words(number)]

    def text(self, numbers: list[int]) -> list[str]:
        """The same words themselves."""
        return [self._words[word] for word in self.ids(numbers)]


class Scores:
    """Those of the frames of an utterance, in one piece."""

    def __init__(self) -> None:
        self._rows = np.zeros((64, 0), np.float32)
        self.frames = 0

    def add(self, more: np.ndarray) -> None:
        """Append (frames, senones), in blocks that double."""
        need, width = self.frames + len(more), more.shape[1]
        if need > len(self._rows) or not self.frames:
            longer = np.empty((max(need, 2 * len(self._rows)), width), np.float32)
            longer[: self.frames] = self._rows[: self.frames] if self.frames else 0
            self._rows = longer
        self._rows[self.frames : need] = more
        self.frames = need

    @property
    def all(self) -> np.ndarray:
        """(frames, senones)"""
        return self._rows[: self.frames]
