"""From eSpeak's phoneme events to the recipe's phones, their times, and the phones of each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from espeak import SAMPLE_RATE, Mark

SILENCE = "SIL"

# eSpeak's mnemonics for American English, without stress, and the phone they become. Vowels that differ only
# in length or reduction share a phone; vowels with r are phones of their own, since eSpeak says them as one.
_PHONES = {
    "p": "P", "b": "B", "t": "T", "t2": "T", "t#": "DX", "d": "D", "k": "K", "g": "G", "tS": "CH", "dZ": "JH",
    "f": "F", "v": "V", "T": "TH", "D": "DH", "s": "S", "z": "Z", "S": "SH", "Z": "ZH", "h": "HH", "m": "M",
    "n": "N", "n-": "N", "m-": "M", "N": "NG", "l": "L", "@L": "L", "l#": "L", "r": "R", "r-": "R", "j": "Y",
    "w": "W", "a": "AE", "aa": "AE", "A:": "AA", "A": "AA", "A#": "AA", "0": "AA", "0#": "AA", "O": "AO",
    "O:": "AO", "O2": "AO", "V": "AH", "V#": "AH", "@": "AX", "@2": "AX", "@5": "AX", "@-": "AX", "a#": "AX",
    "E": "EH", "E#": "EH", "E2": "EH", "I": "IH", "I2": "IH", "I#": "IH", "i": "IY", "i:": "IY", "U": "UH",
    "u": "UW", "u:": "UW", "3": "ER", "3:": "ER", "eI": "EY", "aI": "AY", "aU": "AW", "OI": "OY", "oU": "OW",
    "oU#": "OW", "A@": "AAR", "O@": "AOR", "o@": "AOR", "U@": "AOR", "e@": "EHR", "i@": "IYR", "i@3": "IYR",
    "aI@": "AYR", "aI3": "AYR", "aU@": "AWR",
}  # fmt: skip
_DROPPED = {"", ";", "?", "-", "|", "||", "_^_", "'", ",", "%", "=", ":"}


@dataclass(frozen=True)
class Segment:
    """A phone with its start and end in seconds, and the index of the word that it belongs to (-1: none)."""

    phone: str
    start: float
    end: float
    word: int


def phone_of(mnemonic: str) -> str | None:
    """The phone of an eSpeak mnemonic; None for marks that are no sound of their own.

    Raises:
        KeyError: a mnemonic that American English is not known to use.
    """
    plain = mnemonic.lstrip("',%=")
    if plain.startswith("_"):
        return SILENCE
    if plain in _DROPPED:
        return None
    return _PHONES[plain]


def segments(marks: Sequence[Mark], num_samples: int, text: str) -> list[Segment]:
    """The phones of one sentence in order, without gaps, from 0 to the end of its samples.

    A mark that is dropped leaves its time to the phone before it; pauses side by side become one. Where
    eSpeak runs two words together ("in the") it marks only the first, and both words' phones carry its index.
    """
    starts = _word_starts(text)
    word, kept = -1, [(SILENCE, 0, -1)]
    for mark in marks:
        if mark.kind == "word":
            word = starts.get(mark.position, word)
        elif (phone := phone_of(mark.symbol)) is not None:
            linking = mark.symbol == "r-" and kept[-1][0].endswith("R")  # the vowel has said the r already
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
