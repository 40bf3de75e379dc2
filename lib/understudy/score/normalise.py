"""Text normalisation before scoring; its ways are an option of decoding, recorded with each result."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal

from understudy.lang.graphemes import APOSTROPHES

Way = Literal["case", "hyphens", "punctuation", "fillers"]
"""A way of normalisation. `case`: all capitals. `hyphens`: hyphens and dashes of any kind split words. `punctuation`:
only letters, digits and apostrophes within words count, and all kinds of apostrophes are the same. `fillers`: English
hesitations do not count (a way for English alone: er and um are German words)."""


_FILLERS = frozenset({"UH", "UM", "UHM", "ER", "ERM", "EH", "AH", "HM", "HMM", "MM", "MHM", "UHHUH"})


def normalise(words: Sequence[str], ways: Sequence[Way]) -> list[str]:
    """Normalise words in all of these ways, whose order does not matter."""
    found = list(words)
    for name, way in _WAYS.items():  # hyphens split words before punctuation, which they are too, is removed
        if name in ways:
            found = [part for word in found for part in way(word).split()]
    return found


def _lettered(word: str) -> str:
    kept = (c for c in word.translate(APOSTROPHES) if c == "'" or unicodedata.category(c)[0] in "LMN")
    return "".join(kept).strip("'")


def _parted(word: str) -> str:
    return "".join(" " if unicodedata.category(c) == "Pd" or c == "−" else c for c in word) if len(word) > 1 else word


_WAYS: dict[Way, Callable[[str], str]] = {
    "case": str.upper,
    "hyphens": _parted,
    "punctuation": _lettered,
    "fillers": lambda word: "" if _lettered(word).upper() in _FILLERS else word,
}
