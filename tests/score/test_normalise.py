"""Texts of two conventions become alike, and nothing else of them is lost."""

import pytest

from understudy.score.normalise import normalise

TEXT = "Well, um, the twenty-one “dogs'” isn’t-it – café Nº 5".split()


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([], TEXT),
        (["case"], [word.upper() for word in TEXT]),
        (["hyphens"], "Well, um, the twenty one “dogs'” isn’t it – café Nº 5".split()),
        (["punctuation"], "Well um the twentyone dogs isn'tit café Nº 5".split()),
        (["fillers"], "Well, the twenty-one “dogs'” isn’t-it – café Nº 5".split()),
        (["fillers", "punctuation", "hyphens", "case"], "WELL THE TWENTY ONE DOGS ISN'T IT CAFÉ Nº 5".split()),
    ],
)
def test_each_way_changes_what_it_says(ways, expected):
    assert normalise(TEXT, ways) == expected
    assert normalise(expected, ways) == expected  # done once, it is done
    assert normalise(TEXT, ways[::-1]) == expected


@pytest.mark.parametrize("dash", "-‐‑‒–—−－")
def test_any_dash_parts_words(dash: str):
    assert normalise([f"T{dash}SHIRT", dash], ["hyphens", "punctuation"]) == ["T", "SHIRT"]


@pytest.mark.parametrize("apostrophe", "'’‘ʼ′`")
def test_any_apostrophe_is_one(apostrophe: str):
    assert normalise([f"ISN{apostrophe}T", f"DOGS{apostrophe}"], ["punctuation"]) == ["ISN'T", "DOGS"]
