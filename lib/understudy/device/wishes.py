"""What a user wants to be heard, beside what a recogniser was made for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wishes:
    """Files; without any it is heard as it was made."""

    grammar: Path | None = None
    """sentences, which alone are heard (`grammar`)"""
    words: Path | None = None
    """words more (`words`)"""
    keywords: Path | None = None
    """words and phrases that are spotted in whatever is said (`keywords`); on devices alone"""

    def __bool__(self) -> bool:
        return any(file is not None for file in (self.grammar, self.words, self.keywords))


NONE = Wishes()
