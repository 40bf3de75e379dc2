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

    def __bool__(self) -> bool:
        return self.grammar is not None or self.words is not None


NONE = Wishes()
