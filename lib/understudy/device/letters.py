"""Pronunciations of a language without a lexicon: the letters of a word are its phones."""

from __future__ import annotations

import unicodedata

_SILENT = {"'", "\u200c", "\u200d"}
"""the apostrophe, and the joiners of some scripts: they have no sound of their own"""
_FINAL = str.maketrans("ς", "σ")
"""Greek final sigma, to plain sigma"""
_NUKTA, _VIRAMA, _AROUND = 7, 9, 200
"""Unicode's combining classes of marks that make another letter of the one before: a dot (nukta), a mark that removes
the vowel (virama), and from 200 on accents and the like. Vowel signs have other classes and are phones of their own."""


def spelled(word: str) -> tuple[str, ...] | None:
    """Return a word's letters and vowel signs in lower case, in Unicode's NFC; None: it has digits or other characters.

    A final sigma becomes a plain one: they are two shapes of one letter.
    """
    letters: list[str] = []
    for one in unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).lower().translate(_FINAL)):
        kind, place = unicodedata.category(one)[0], unicodedata.combining(one)
        if one in _SILENT:
            continue
        if kind == "M" and letters and (place in (_NUKTA, _VIRAMA) or place >= _AROUND):
            letters[-1] += one
        elif kind in "LM":
            letters.append(one)
        else:
            return None
    return tuple(letters) or None
