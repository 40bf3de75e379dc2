"""The phones of Greek, as SAMPA has them.

Palatal consonants are phones of their own (c, C, L, J). An i that glides into the next vowel is an i, and a glottal
stop between vowels is none.
"""

from __future__ import annotations

from phones import PhoneSet

PHONES = PhoneSet(
    "Greek",
    {
        "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "g": "g", "c": "c", "ts": "ts", "f": "f", "v": "v", "T": "T",
        "D": "D", "s": "s", "z": "z", "x": "x", "C": "C", "Q": "G", "j": "j", "m": "m", "n": "n", "n^": "J", "N": "N",
        "l": "l", "l^": "L", "r": "r", "a": "a", "e": "e", "i": "i", "o": "o", "u": "u", "aI": "aI", "oI": "oI",
    },
    silent=frozenset({"_!"}),
)  # fmt: skip
