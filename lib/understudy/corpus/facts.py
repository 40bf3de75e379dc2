"""What a set of utterances holds, in counts: lengths, speakers, words, characters, levels, pauses, repetitions.

They grow by what is different (words, characters, speakers, whole decibels), and by 8 bytes an utterance, by which
copies are found.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from lhotse import MonoCut

from understudy.corpus.levels import SILENT, Meter
from understudy.step import counted

TENTH = 0.1
"""seconds; lengths are counted by it"""
_NAMED = 5  # copies


@dataclass
class Facts:
    """Of one set; filled while its cuts are validated."""

    lengths: Counter[int] = field(default_factory=Counter)
    """utterances by their length in tenths of a second, rounded down"""
    seconds: Counter[str] = field(default_factory=Counter)
    """of speech, by speaker"""
    words: Counter[str] = field(default_factory=Counter)
    words_each: Counter[int] = field(default_factory=Counter)
    """utterances by their number of words, of those that have a transcript"""
    characters: Counter[str] = field(default_factory=Counter)
    """spaces left out"""
    levels: Counter[int] = field(default_factory=Counter)
    """utterances by their level in whole dBFS, rounded down; silent ones left out"""
    pauses: Counter[int] = field(default_factory=Counter)
    """utterances by the share of pauses in per cent, rounded down"""
    sentences: Counter[bytes] = field(default_factory=Counter)
    """digests of transcripts"""
    heard: dict[bytes, str] = field(default_factory=dict)
    """the first utterance with these samples, silent ones left out"""
    copies: list[tuple[str, str]] = field(default_factory=list)
    """utterances with the samples of another, which is named behind them"""

    def add(self, cut: MonoCut, meter: Meter | None) -> None:
        """Count a sound cut, and what was heard of it."""
        supervision = cut.supervisions[0]
        self.lengths[int(cut.duration / TENTH + 1e-6)] += 1
        self.seconds[supervision.speaker] += cut.duration
        if text := (supervision.text or "").strip():
            words = text.split()
            self.words.update(words)
            self.words_each[len(words)] += 1
            self.characters.update("".join(words))
            self.sentences[hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()] += 1
        if meter is None or (level := meter.level) < SILENT:
            return
        self.levels[math.floor(level)] += 1
        self.pauses[int(100 * meter.pauses)] += 1
        if (first := self.heard.setdefault(meter.digest, cut.id)) != cut.id:
            self.copies.append((cut.id, first))

    @property
    def repeated(self) -> int:
        """Utterances that say what another one of the set says."""
        return sum(number - 1 for number in self.sentences.values())

    def quantiles(self, shares: tuple[float, ...] = (0.0, 0.05, 0.5, 0.95, 1.0)) -> list[float]:
        """Lengths in seconds that these shares of the utterances do not exceed by a tenth."""
        values = sorted(self.lengths)
        upto = np.cumsum([self.lengths[value] for value in values])
        places = np.searchsorted(upto, np.array(shares) * upto[-1])
        return [round(values[min(int(place), len(values) - 1)] * TENTH, 1) for place in places]

    def told(self) -> dict[str, Any]:
        """For JSON."""
        least, low, median, high, most = self.quantiles()
        return {
            "seconds_each": {"least": least, "5 %": low, "median": median, "95 %": high, "most": most},
            "words": {"spoken": self.words.total(), "different": len(self.words)},
            "characters": dict(sorted(self.characters.items())),
            "repeated_sentences": self.repeated,
            "copies": {"utterances": len(self.copies), "first": [list(pair) for pair in self.copies[:_NAMED]]},
        }


def copies_between(sets: Mapping[str, Facts]) -> list[tuple[str, str, str, str]]:
    """Utterances of one set that have the samples of one of a set before it: set, utterance, set, utterance."""
    found, before = [], dict[bytes, tuple[str, str]]()
    for name, facts in sets.items():
        found += [(name, one, *before[digest]) for digest, one in facts.heard.items() if digest in before]
        for digest, one in facts.heard.items():
            before.setdefault(digest, (name, one))
    return found


def warnings(sets: Mapping[str, Facts]) -> list[str]:
    """What is to be said of copies: within sets, and between them."""
    told = []
    for name, facts in sets.items():
        if facts.copies:
            some = ", ".join(f"{one} = {first}" for one, first in facts.copies[:_NAMED])
            more = ", …" if len(facts.copies) > _NAMED else ""
            told.append(
                f"{name}: {counted(len(facts.copies), 'utterance')} of {facts.lengths.total()} with the very samples "
                f"of another one: {some}{more}. They count twice; leave one of each out if that is not meant."
            )
    if between := copies_between(sets):
        some = ", ".join(f"{one} ({name}) = {first} ({other})" for name, one, other, first in between[:_NAMED])
        more = ", …" if len(between) > _NAMED else ""
        told.append(
            f"{counted(len(between), 'utterance')} with the very samples of one of another set: {some}{more}. What is "
            "trained on must not be tested on: leave them out of one of the two."
        )
    return told
