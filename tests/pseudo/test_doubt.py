"""Which texts are doubted."""

from __future__ import annotations

import itertools

import pytest

from understudy.pseudo.doubt import EMPTY, FAST, LOOP, SLOW, UNSURE, doubted, repeated
from understudy.pseudo.options import Doubts
from understudy.step import UserError

WORDS = "the cat sat on the mat and slept".split()


@pytest.mark.parametrize(
    ("words", "log_probability", "seconds", "reason"),
    [
        (WORDS, None, 3.0, None),
        (WORDS, -0.99, 3.0, None),
        (WORDS, -1.01, 3.0, UNSURE),
        ([], -9.0, 3.0, EMPTY),
        (["no"] * 3, None, 2.0, None),
        (["no"] * 4, None, 2.0, LOOP),
        ([*WORDS, *["thank", "you"] * 4], None, 5.0, LOOP),
        (WORDS, None, 26.0, None),
        (WORDS, None, 27.0, SLOW),
        (WORDS, None, 1.15, None),
        (WORDS, None, 1.14, FAST),
    ],
)
def test_reasons(words: list[str], log_probability: float | None, seconds: float, reason: str | None) -> None:
    assert doubted(words, log_probability, seconds, Doubts()) == reason


def test_repetitions_are_those_that_are_found_by_looking_everywhere() -> None:
    for length, times in itertools.product(range(9), (2, 3)):
        for words in itertools.product("ab", repeat=length):
            told = any(
                words[i : i + n] * times == words[i : i + n * times] for n in range(1, 5) for i in range(length)
            )  # fmt: skip
            assert repeated(words, times) == told, words


@pytest.mark.parametrize(
    ("of", "told"),
    [
        ({"slowest": 3.0, "fastest": 2.0}, "--doubt.slowest 3 and --doubt.fastest 2"),
        ({"least_ratio": 0.1}, "--doubt.least_ratio 0.1: must be 0 or less"),
        ({"repeats": 1}, "--doubt.repeats 1"),
    ],
)
def test_doubts_that_make_no_sense_are_told(of: dict, told: str) -> None:
    with pytest.raises(UserError, match=told):
        Doubts(**of)
