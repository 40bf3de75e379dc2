"""Parts that both searches share: beams, the best path and its words, and the scores, which are kept for a retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .graph_arcs import Sequences

RETRIES = 2


class Beams(NamedTuple):
    """Beam of a search, and its limits of active states per frame."""

    beam: float
    """nats"""
    min_active: int
    max_active: int

    def wider(self) -> Beams:
        """Return beams with twice the beam and twice `max_active`."""
        return Beams(2 * self.beam, self.min_active, 2 * self.max_active)


class Best(NamedTuple):
    """The best path of a search."""

    labels: list[int]
    """senone of each frame"""
    words: list[int]
    """its outputs, see `OutputWords`"""


class OutputWords:
    """Translates the output numbers of a graph into words."""

    def __init__(self, words: list[str], base: int, sequences: Sequence[Sequence[int]]) -> None:
        """`words`: text of each word id; numbers from `base` on stand for `sequences` of word ids."""
        self._words, self.sequences = words, Sequences(base, map(tuple, sequences))

    def of_real_words(self) -> bool:
        """Whether all numbers stand for words that exist."""
        base, known = self.sequences.base, self.sequences.known
        return all(0 <= n < len(self._words) for n in (base - 1, *(n for each in known for n in each)))

    def ids(self, numbers: list[int]) -> list[int]:
        """Return the word ids of a path's outputs."""
        return [word for number in numbers for word in self.sequences.words(number)]

    def text(self, numbers: list[int]) -> list[str]:
        """Return the words of a path's outputs."""
        return [self._words[word] for word in self.ids(numbers)]


class Scores:
    """Senone scores of an utterance's frames so far, in one array."""

    def __init__(self) -> None:
        self._rows = np.zeros((64, 0), np.float32)
        self.frames = 0

    def add(self, more: np.ndarray) -> None:
        """Append scores (frames, senones); the array grows by doubling."""
        need, width = self.frames + len(more), more.shape[1]
        if need > len(self._rows) or not self.frames:
            longer = np.empty((max(need, 2 * len(self._rows)), width), np.float32)
            longer[: self.frames] = self._rows[: self.frames] if self.frames else 0
            self._rows = longer
        self._rows[self.frames : need] = more
        self.frames = need

    @property
    def all(self) -> np.ndarray:
        """All scores so far, (frames, senones)."""
        return self._rows[: self.frames]
