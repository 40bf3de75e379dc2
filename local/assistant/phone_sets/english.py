"""The phones of American English, as ARPAbet has them.

Vowels that differ only in length or reduction share a phone; vowels with r are phones of their own, since eSpeak says
them as one.
"""

from __future__ import annotations

from phones import PhoneSet

PHONES = PhoneSet(
    "English",
    {
        "p": "P", "b": "B", "t": "T", "t2": "T", "t#": "DX", "d": "D", "k": "K", "g": "G", "tS": "CH", "dZ": "JH",
        "f": "F", "v": "V", "T": "TH", "D": "DH", "s": "S", "z": "Z", "S": "SH", "Z": "ZH", "h": "HH", "m": "M",
        "n": "N", "n-": "N", "m-": "M", "N": "NG", "l": "L", "@L": "L", "l#": "L", "r": "R", "r-": "R", "j": "Y",
        "w": "W", "a": "AE", "aa": "AE", "A:": "AA", "A": "AA", "A#": "AA", "0": "AA", "0#": "AA", "O": "AO",
        "O:": "AO", "O2": "AO", "V": "AH", "V#": "AH", "@": "AX", "@2": "AX", "@5": "AX", "@-": "AX", "a#": "AX",
        "E": "EH", "E#": "EH", "E2": "EH", "I": "IH", "I2": "IH", "I#": "IH", "i": "IY", "i:": "IY", "U": "UH",
        "u": "UW", "u:": "UW", "3": "ER", "3:": "ER", "eI": "EY", "aI": "AY", "aU": "AW", "OI": "OY", "oU": "OW",
        "oU#": "OW", "A@": "AAR", "O@": "AOR", "o@": "AOR", "U@": "AOR", "e@": "EHR", "i@": "IYR", "i@3": "IYR",
        "aI@": "AYR", "aI3": "AYR", "aU@": "AWR",
    },
    linking="r-",
)  # fmt: skip
