"""Recordings that are there twice, found by what a teacher hears in them: no audio, no features, no decoding.

An utterance is sketched by a few of its sequences of senones, those whose hashes are least (Broder 1997): a copy has
most of them too, wherever it begins. Whoever shares one is laid beside the other, and is a copy if it has the same
senones at the same times. Two that say the same words do not: they take other times for them.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SEQUENCE = 4
"""senones in a sequence (our choice)"""
_SKETCH = 16  # sequences of an utterance (our choice)
_FACTORS = np.random.default_rng(0).integers(1 << 62, size=SEQUENCE, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_MIXED = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio


class Heard:
    """Utterances that repeat none of those before them; their senones are in memory, 2 bytes a frame."""

    def __init__(self, silence: np.ndarray, least: float) -> None:
        """Begin.

        Args:
            silence: senones of the silence phone, which count nowhere.
            least: share of an utterance's frames of speech that have to be those of an earlier one at the same times.
        """
        self._silence, self._least = silence, least
        self._places: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self._senones: dict[str, np.ndarray] = {}

    def earlier(self, name: str, senones: np.ndarray) -> str | None:
        """The utterance that this one repeats; None: it is new, and later ones are compared with it.

        One with fewer than `SEQUENCE` senones of speech is compared with none.

        Args:
            senones: (frames,) the likeliest ones.
        """
        sketch, spoken = self._sketch(senones), ~np.isin(senones, self._silence)
        for one, offset in dict.fromkeys((one, begin - at) for key, at in sketch for one, begin in self._places[key]):
            if _same(senones, spoken, self._senones[one], offset) >= self._least:
                return one
        self._senones[name] = senones.astype(np.uint16)
        for key, at in sketch:
            self._places[key].append((name, at))
        return None

    def _sketch(self, senones: np.ndarray) -> list[tuple[int, int]]:
        """Hashes of a few sequences of senones, however long each lasts, with the frames where they begin."""
        begins = np.flatnonzero(np.diff(senones, prepend=-1))
        begins = begins[~np.isin(senones[begins], self._silence)]
        if len(begins) < SEQUENCE:
            return []
        sums = (sliding_window_view(senones[begins].astype(np.uint64) + np.uint64(1), SEQUENCE) * _FACTORS).sum(1)
        hashes = (sums ^ (sums >> np.uint64(29))) * _MIXED
        least = np.argsort(hashes, kind="stable")[:_SKETCH]
        return [(int(hashes[i]), int(begins[i])) for i in least]


def _same(senones: np.ndarray, spoken: np.ndarray, earlier: np.ndarray, offset: int) -> float:
    """Share of frames of speech that the earlier one has too, `offset` frames later."""
    at = np.arange(len(senones)) + offset
    there = spoken & (at >= 0) & (at < len(earlier))
    return float((senones[there] == earlier[at[there]]).sum() / spoken.sum())
