"""What a device costs: which utterances count, and by what."""

from __future__ import annotations

import json

from understudy.ship.footprint import first_word


def heard(first: float | None, words: str, seconds: float = 2.0) -> dict:
    return {"first_word_s": first, "words": words.split(), "seconds": seconds}


def test_a_word_that_appears_only_at_the_end_is_as_late_as_that() -> None:
    assert first_word([heard(0.5, "YES"), heard(0.7, "NO"), heard(None, "NO", 3.0)]) == 0.7
    assert first_word([heard(None, "YES", 3.0), heard(None, "", 9.0)]) == 3.0  # one without words has no first one
    assert first_word([heard(0.4, ""), heard(None, "")]) == 0.4  # there was a word, which did not stay


def test_where_there_are_no_words_nothing_is_told() -> None:
    assert json.dumps(first_word([heard(None, ""), heard(None, "")])) == "null"
