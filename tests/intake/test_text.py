"""Transcripts are made alike, and what was changed is counted."""

from __future__ import annotations

import pytest

from understudy.intake.text import Tidy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hello,   World! ", "hello world"),
        ("T‑SHIRT – don’t ‘quote’", "t shirt don't quote"),
        ("cafe\u0301\u200b\u00ad \ufefftea\tx", "café tea x"),
        ("Straße ΟΔΟΣ", "straße οδος"),
        ("नमस्ते। क्‍ष", "नमस्ते क्‍ष"),
        ("¿Qué? 3,5 km", "qué 3 5 km"),
        ("… — !", ""),
    ],
)
def test_words_stay_and_the_rest_goes(text: str, expected: str):
    assert Tidy("lower", "remove")(text) == expected


def test_case_and_punctuation_may_stay():
    assert Tidy("keep", "keep")("Ja, ’s  ist\u200bX") == "Ja, ’s istX"
    assert Tidy("upper", "remove")("straße") == "STRASSE"


def test_marks_of_noise_are_told(caplog):
    tidy = Tidy("lower", "remove")
    assert [tidy(text) for text in ("<UNK> ja [noise]", "(laughs) ja <UNK>")] == ["unk ja noise", "laughs ja unk"]
    tidy.say()
    assert "4 words stand in brackets, and are taken for words that were said: <UNK> (2), [noise] (1)" in caplog.text


def test_it_says_what_it_did(caplog):
    tidy = Tidy("lower", "remove")
    for text in ("plain", "Da!", "die NATO kam", "GROSS"):
        tidy(text)
    with caplog.at_level("INFO"):
        tidy.say()
        tidy.say_capitals()
    assert "1 texts were written without punctuation, such as 'Da!': 'Da'" in caplog.text
    assert "3 texts were written in lower case, such as 'Da': 'da'" in caplog.text
    assert "transcripts: 1 words (1 occurrences) are in capitals" in caplog.text and "NATO (1)" in caplog.text
