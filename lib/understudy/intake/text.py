"""Transcripts as a recipe wants them: words with single spaces. What is changed is counted, with an example."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Literal

from understudy.lang.graphemes import APOSTROPHES, in_capitals, tell_abbreviations
from understudy.step import log

_BRACKETED = re.compile(r"[<\[{(][^\s<>\[\]{}()]+[>\]})]")
"""What many corpora write for a noise, a hesitation or a word that was not understood"""
_MARKS = {"\u200c", "\u200d"}
"""Joiners, by which some scripts tell letters apart"""

Case = Literal["lower", "upper", "keep"]


class Tidy:
    """Makes transcripts alike, and counts what it did."""

    def __init__(self, case: Case, punctuation: Literal["remove", "keep"]) -> None:
        self._case, self._removes = case, punctuation == "remove"
        self._counts: Counter[str] = Counter()
        self._capitals: Counter[str] = Counter()
        self._bracketed: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The text in Unicode's NFC; control characters are spaces, invisible ones are gone.

        Where punctuation is removed, it parts words, all apostrophes within words are one, and letters, marks, digits
        and these apostrophes stay.
        """
        whole = unicodedata.normalize("NFC", text)
        self._count("composed (NFC)", text, whole)
        seen = "".join(_seen(one) for one in whole)
        self._count("without characters that cannot be seen", whole, seen)
        self._bracketed.update(_BRACKETED.findall(seen))
        if self._removes:
            bare = " ".join(word for part in seen.split() for word in _bare(part).split())
            self._count("without punctuation", " ".join(seen.split()), bare)
            seen = bare
        self._capitals.update(in_capitals(seen))
        cased = self.cased(seen)
        self._count(f"in {self._case} case", seen, cased)
        return " ".join(cased.split())

    def cased(self, text: str) -> str:
        """The text in the case that is wanted, in NFC, and not changed otherwise."""
        change: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "keep": str}
        return change[self._case](unicodedata.normalize("NFC", text))

    def say_capitals(self) -> None:
        """Warn of what may be abbreviations, before their case was changed."""
        if self._case != "keep":  # else they stand in the words yet
            tell_abbreviations(self._capitals, "transcripts")

    def say(self) -> None:
        """What was changed of how many transcripts, with an example of each."""
        for what, number in self._counts.items():
            log.info("%d texts were written %s, such as %s", number, what, self._examples[what])
        if self._bracketed:
            log.warning(
                "%d words stand in brackets, and are taken for words that were said: %s. Remove those that were not.",
                self._bracketed.total(), ", ".join(f"{word} ({n})" for word, n in self._bracketed.most_common(5)),
            )  # fmt: skip

    def _count(self, what: str, before: str, after: str) -> None:
        if before != after:
            self._counts[what] += 1
            self._examples.setdefault(what, f"{before[:60]!r}: {after[:60]!r}")


def _seen(character: str) -> str:
    """Itself, a space for a control character or a separator, or nothing for one that cannot be seen."""
    category = unicodedata.category(character)
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    return "" if category == "Cf" and character not in _MARKS else character


def _bare(word: str) -> str:
    """Its letters, marks, digits, and apostrophes within; what stands between letters besides is a space."""
    word = word.translate(APOSTROPHES)
    kept = (one if one == "'" or one in _MARKS or unicodedata.category(one)[0] in "LMN" else " " for one in word)
    return " ".join(part.strip("'") for part in "".join(kept).split())
