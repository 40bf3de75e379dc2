"""A user's wishes: what is to be recognised instead of, or beside, what a recogniser was made for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wishes:
    """Files of a user's wishes; without any, a recogniser works as it was made."""

    grammar: Path | None = None
    """sentences, which alone are heard (`grammar`)"""
    words: Path | None = None
    """words to add (`words`)"""
    keywords: Path | None = None
    """words and phrases that are spotted in whatever is said (`keywords`); on devices alone"""

    def __bool__(self) -> bool:
        return any(file is not None for file in (self.grammar, self.words, self.keywords))


NONE = Wishes()
