"""From eSpeak's phoneme events to the recipe's phones, their times, and the phones of each word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from espeak import SAMPLE_RATE, Mark

from understudy.step import UserError

SILENCE = "SIL"

_DROPPED = {"", ";", "?", "-", "|", "||", "_^_", "'", ",", "%", "=", ":"}


@dataclass(frozen=True)
class Segment:
    """A phone with its start and end in seconds, and the index of the word that it belongs to (-1: none)."""

    phone: str
    start: float
    end: float
    word: int


@dataclass(frozen=True)
class PhoneSet:
    """The phones of a language, and which of eSpeak's mnemonics, without their stress, become which of them.

    Attributes:
        language: its name.
        phones: a phone's name by mnemonic.
        silent: marks of this language that are no sound of their own.
        linking: the mnemonic that says nothing after a phone whose name ends in R, which has said it; empty: none does.
    """

    language: str
    phones: Mapping[str, str]
    silent: frozenset[str] = frozenset()
    linking: str = ""

    def phone_of(self, mnemonic: str) -> str | None:
        """The phone of an eSpeak mnemonic; None for marks that are no sound of their own.

        Raises:
            UserError: a mnemonic that the language is not known to use.
        """
        plain = mnemonic.lstrip("',%=")
        if plain in self.silent:
            return None
        if plain.startswith("_"):
            return SILENCE
        if plain in _DROPPED:
            return None
        if plain not in self.phones:
            raise UserError(
                f"eSpeak's mnemonic must be one of {self.language}'s phones, got {plain}; name its phone in "
                f"local/assistant/phone_sets/{self.language.lower()}.py"
            )
        return self.phones[plain]


def segments(marks: Sequence[Mark], num_samples: int, text: str, phone_set: PhoneSet) -> list[Segment]:
    """The phones of one sentence in order, without gaps, from 0 to the end of its samples.

    A mark that is dropped leaves its time to the phone before it; pauses side by side become one. Where
    eSpeak runs two words together ("in the") it marks only the first, and both words' phones carry its index.
    """
    starts = _word_starts(text)
    word, kept = -1, [(SILENCE, 0, -1)]
    for mark in marks:
        if mark.kind == "word":
            word = starts.get(mark.position, word)
        elif (phone := phone_set.phone_of(mark.symbol)) is not None:
            linking = mark.symbol == phone_set.linking and kept[-1][0].endswith("R")
            if not linking and (phone != SILENCE or kept[-1][0] != SILENCE):
                kept.append((phone, mark.sample, -1 if phone == SILENCE else word))
    bounds = [min(sample, num_samples) for _, sample, _ in kept] + [num_samples]
    return [
        Segment(phone, start / SAMPLE_RATE, end / SAMPLE_RATE, index)
        for (phone, _, index), (start, end) in zip(kept, pairwise(bounds), strict=True)
        if end > start
    ]


def spoken_words(parts: Sequence[Segment], text: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Words with the phones that were spoken for them; words run together come as one group."""
    words = text.split()
    spoken: dict[int, list[str]] = {}
    for part in parts:
        if part.word >= 0:
            spoken.setdefault(part.word, []).append(part.phone)
    heads = sorted(spoken)
    if not heads:
        return []
    ends = [*heads[1:], len(words)]
    return [(tuple(words[head:end]), tuple(spoken[head])) for head, end in zip(heads, ends, strict=True)]


def _word_starts(text: str) -> dict[int, int]:
    """Index of the word that starts at each character, counted from 1 as eSpeak does."""
    starts, position = {}, 1
    for index, word in enumerate(text.split(" ")):
        starts[position] = index
        position += len(word) + 1
    return starts
