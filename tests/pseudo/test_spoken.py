"""Written text as it is spoken."""

from __future__ import annotations

import pytest

from understudy.pseudo.spoken import Spoken
from understudy.step import UserError


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("no digits, as they are", "no digits, as they are"),
        ("in 1884, 1905 and 2024", "in eighteen eighty four , nineteen oh five and twenty twenty four"),
        ("1,884 men", "one thousand eight hundred and eighty four men"),
        ("3.14 and 12,345.5", "three point one four and twelve thousand three hundred and forty five point five"),
        ("the 21st, the 2nd", "the twenty first , the second"),
        ("the 1860s and 90s", "the eighteen sixties and nineties"),
        ("at 10:05, 10:30, 10:00", "at ten oh five , ten thirty , ten"),
        ("$1, $5.50, £0.99, $2.5 million", "one dollar , five dollars and fifty cents , ninety nine pence , "
                                           "two point five million dollars"),
        ("agent 007 of room A4", "agent zero zero seven of room A four"),
        ("Mr. Quilter & Mrs Bird, Dr. No", "mister Quilter and missus Bird, doctor No"),
        ("No. 5 on the first st and St. Paul", "number five on the first st and saint Paul"),
        ("50% of it", "fifty percent of it"),
        ("[Music] (laughs) <unk> *sighs* ♪ hello", "hello"),
    ],
)  # fmt: skip
def test_english(written: str, spoken: str) -> None:
    assert Spoken("en")(written).split() == spoken.split()


def test_another_language_has_its_own_marks_and_no_english_words() -> None:
    assert Spoken("de")("1.234 & 3,5 %").split() == "eintausendzweihundertvierunddreißig & drei Komma fünf %".split()
    assert Spoken("fr")("Mr. 21").split() == "Mr. vingt et un".split()


def test_numbers_without_end_are_digits() -> None:
    assert Spoken("en")("1" + "0" * 400).split() == ["one", *["zero"] * 400]


def test_a_language_that_nobody_can_spell_matters_where_there_are_digits() -> None:
    assert Spoken("xx")("none").strip() == "none"
    with pytest.raises(UserError, match=r"--language xx: num2words cannot spell 12 in it"):
        Spoken("xx")("12")
