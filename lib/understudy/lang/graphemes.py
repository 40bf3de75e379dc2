"""Grapheme lexicons, for languages without a pronunciation lexicon: the letters of a word are its phones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from understudy.device.letters import spelled
from understudy.lang.lexicon import Entry, visible
from understudy.step import UserError, log

GRAPHEMES = "graphemes"
"""Value of --lexicon that asks for a grapheme lexicon"""
APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ′`´＇"), "'")
"""Map of all kinds of apostrophes to that of ASCII, for `str.translate`"""
_SHOWN = 10


def spelled_entries(texts: Iterable[str], source: object) -> list[Entry]:
    """Return an entry for each word of the texts, sorted by word; words that may be abbreviations are logged.

    Args:
        texts: the texts.
        source: where they are from, for messages.

    Raises:
        UserError: words have digits or signs, whose pronunciation depends on the language.
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
    """Return the words of two letters or more in capitals, unless the whole text is in capitals."""
    return [] if text.isupper() else [word for word in text.split() if len(word) > 1 and word.isupper()]


def tell_abbreviations(counts: Mapping[str, int], source: object) -> None:
    """Warn of words in capitals: no rule decides that NATO is read as a word and BBC as three letters."""
    if counts:
        log.warning(
            "%s: %d words (%d occurrences) are in capitals among others that are not. Where they are abbreviations, "
            "write them as they are said (BBC: bee bee see): %s",
            source, len(counts), sum(counts.values()), _some(counts),
        )  # fmt: skip


def _some(counts: Mapping[str, int]) -> str:
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    return ", ".join(f"{visible(word)} ({number})" for word, number in common) + (", …" if len(counts) > _SHOWN else "")
