"""Pronunciations for a language without a lexicon: the letters of a word are its phones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from understudy.device.letters import spelled
from understudy.lang.lexicon import Entry, visible
from understudy.step import UserError, log

GRAPHEMES = "graphemes"
"""Said in place of a lexicon's path"""
APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ′`´＇"), "'")
"""Every kind of apostrophe to the one of ASCII, for `str.translate`"""
_SHOWN = 10


def spelled_entries(texts: Iterable[str], source: object) -> list[Entry]:
    """An entry for each word of the texts, in their order; what may be an abbreviation is logged.

    Raises:
        UserError: words have digits or signs, which nobody can spell without knowing the language.
    """
    counts: Counter[str] = Counter()
    capitals: Counter[str] = Counter()
    for text in texts:
        counts.update(text.split())
        capitals.update(in_capitals(text))
    entries = {word: spelled(word) for word in sorted(counts)}
    if strange := {word: counts[word] for word, letters in entries.items() if letters is None}:
        raise UserError(
            f"{source}: {len(strange)} words ({sum(strange.values())} occurrences) are not made of letters alone: "
            f"{_some(strange)}. Write them as they are said (12: twelve), or give a lexicon."
        )
    tell_abbreviations(capitals, source)
    return [(word, letters) for word, letters in entries.items() if letters is not None]


def in_capitals(text: str) -> list[str]:
    """Words of two letters or more that are in capitals, though not all of the text is."""
    return [] if text.isupper() else [word for word in text.split() if len(word) > 1 and word.isupper()]


def tell_abbreviations(counts: Mapping[str, int], source: object) -> None:
    """Warn of words in capitals: no rule tells whether NATO is a word, and BBC three letters."""
    if counts:
        log.warning(
            "%s: %d words (%d occurrences) are in capitals among others that are not. Where they are abbreviations, "
            "write them as they are said (BBC: bee bee see): %s",
            source, len(counts), sum(counts.values()), _some(counts),
        )  # fmt: skip


def _some(counts: Mapping[str, int]) -> str:
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    return ", ".join(f"{visible(word)} ({number})" for word, number in common) + (", …" if len(counts) > _SHOWN else "")
