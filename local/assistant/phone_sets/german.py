"""The phones of German, as SAMPA has them.

Vowels that differ only in reduction share a phone, and so do both ways of saying r; ur is a phone of its own, since
eSpeak says it as one. The glottal stop before a vowel is none: eSpeak marks it in the word before. Words from English
(Timer, Blues) are said with English phones, the like of which German has.
"""

from __future__ import annotations

from phones import PhoneSet

PHONES = PhoneSet(
    "German",
    {
        "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "g": "g", "pF": "pf", "ts": "ts", "tS": "tS", "dZ": "dZ",
        "f": "f", "v": "v", "s": "s", "z": "z", "S": "S", "Z": "Z", "C": "C", "x": "x", "h": "h", "m": "m", "n": "n",
        "N": "N", "l": "l", "r": "r", "R": "r", "j": "j", "i:": "i:", "i": "i:", "I": "I", "y:": "y:", "y": "Y",
        "e:": "e:", "E": "E", "E2": "E", "E:": "E:", "Y:": "2:", "W": "9", "A:": "a:", "A": "a:", "a": "a", "O": "O",
        "0": "O", "o:": "o:", "U": "U", "u:": "u:", "@": "@", "3": "6", "UR": "U6", "aI": "aI", "aU": "aU", "OY": "OY",
    },
    silent=frozenset({"_!", "(en)", "(de)"}),
)  # fmt: skip
