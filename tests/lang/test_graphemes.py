"""Words that are pronounced as they are spelled, in several scripts."""

from __future__ import annotations

import pytest

from understudy.device.letters import spelled
from understudy.lang.graphemes import in_capitals, spelled_entries
from understudy.step import UserError


@pytest.mark.parametrize(
    ("word", "letters"),
    [
        ("Don't", "d o n t"),
        ("cafe\u0301", "c a f é"),
        ("STRASSE", "s t r a s s e"),
        ("straße", "s t r a ß e"),
        ("ɛ\u0303", "ɛ\u0303"),  # no single character: the mark goes with its letter
        ("ήλιος", "ή λ ι ο σ"),
        ("ΉΛΙΟΣ", "ή λ ι ο σ"),
        ("თბილისი", "თ ბ ი ლ ი ს ი"),
        ("क़िस्त", "क\u093c ि स\u094d त"),  # a dot and a virama go with their letters, a vowel's sign is its own
        ("كِتاب", "ك \u0650 ت ا ب"),
    ],
)
def test_letters_are_phones(word: str, letters: str):
    assert spelled(word) == tuple(letters.split())


@pytest.mark.parametrize("word", ["7", "mp3", "a&b", "e.g.", "'", "€"])
def test_what_is_not_made_of_letters(word: str):
    assert spelled(word) is None


def test_entries_of_texts(caplog):
    assert spelled_entries(["ja so", "so"], "here") == [("ja", ("j", "a")), ("so", ("s", "o"))]
    assert not caplog.text
    spelled_entries(["die NATO kam", "die BBC kam", "die BBC", "GANZ GROSS"], "t.txt")
    assert "t.txt: 2 words (3 occurrences) are in capitals among others" in caplog.text
    assert "BBC (2), NATO (1)" in caplog.text
    with pytest.raises(UserError, match=r"here: 1 words .*: so\\u2060 \(1\)\. "):
        spelled_entries(["so so\u2060"], "here")
    with pytest.raises(
        UserError, match=r"t\.txt: 2 words \(3 occurrences\) are not made of letters alone: 12 \(2\), mp3"
    ):
        spelled_entries(["12 mp3", "12 uhr"], "t.txt")


def test_capitals_among_others():
    assert in_capitals("I saw NATO") == ["NATO"] and in_capitals("ALL OF IT") == [] == in_capitals("none")
