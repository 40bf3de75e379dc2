"""Speakers are shared out by hours, names, and what is left."""

from __future__ import annotations

import pytest

from understudy.intake.shares import share_out, wish_of
from understudy.step import UserError

TWENTY = {f"s{i:02d}": 100.0 for i in range(20)}
ALL = {"labelled": None, "unlabelled": None, "dev": 0.1, "test": 0.1}


def sizes(found: dict[str, list[str]]) -> dict[str, int]:
    return {name: len(members) for name, members in found.items()}


def test_shares_are_of_hours_and_sets_are_apart():
    found = share_out(TWENTY, set(TWENTY), {**ALL, "labelled": 0.25}, 1)
    assert sizes(found) == {"labelled": 5, "unlabelled": 11, "dev": 2, "test": 2}
    assert sorted(one for members in found.values() for one in members) == sorted(TWENTY)
    assert found == share_out(dict(reversed(TWENTY.items())), set(TWENTY), {**ALL, "labelled": 0.25}, 1)
    assert found != share_out(TWENTY, set(TWENTY), {**ALL, "labelled": 0.25}, 2)
    uneven = {f"s{i}": float(2**i) for i in range(10)}
    test = share_out(uneven, set(uneven), {**ALL, "test": 0.5}, 3)["test"]
    assert 0.25 < sum(uneven[one] for one in test) / sum(uneven.values()) < 0.75


def test_what_is_left_is_labelled_where_it_is_transcribed():
    found = share_out(TWENTY, {f"s{i:02d}" for i in range(12)}, ALL, 1)
    assert sizes(found) == {"labelled": 8, "unlabelled": 8, "dev": 2, "test": 2}
    assert found["unlabelled"] == [f"s{i:02d}" for i in range(12, 20)]
    assert sizes(share_out(TWENTY, set(TWENTY), ALL, 1)) == {"labelled": 16, "unlabelled": 0, "dev": 2, "test": 2}


def test_named_speakers_come_first_and_the_rest_may_be_left_out():
    wishes = {"labelled": ["s00", "s01"], "unlabelled": 0.0, "dev": ["s02"], "test": ["s03"]}
    assert share_out(TWENTY, set(TWENTY), wishes, 1) == {
        "labelled": ["s00", "s01"], "unlabelled": [], "dev": ["s02"], "test": ["s03"]}  # fmt: skip
    assert sizes(share_out(TWENTY, set(TWENTY), {**wishes, "unlabelled": None}, 1))["unlabelled"] == 16


def test_how_options_say_it():
    assert (
        wish_of("theo, lucas") == ["theo", "lucas"]
        and wish_of("103,") == ["103"]
        and wish_of([103, "a"]) == ["103", "a"]
    )
    assert wish_of(0.25) == 0.25 and wish_of(None) is None


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"test": 1.5}, r"--test 1\.5: must be a share from 0 to 1, or speakers \(1\.5,\)"),
        ({"test": 0.6, "dev": 0.6}, r"the shares come to 1\.2, more than all there is: dev 0\.6, test 0\.6"),
        ({"test": ["zoe"]}, r"--test zoe: there is no such speaker; there are s00, s01, .*, …"),
        ({"test": ["s00"], "dev": ["s00"]}, "speaker s00 is in both dev and test"),
    ],
)
def test_wishes_that_cannot_be(wishes: dict, said: str):
    with pytest.raises(UserError, match=said):
        share_out(TWENTY, set(TWENTY), {**ALL, **wishes}, 1)


def test_too_few_speakers():
    with pytest.raises(UserError, match="no speaker is left for labelled: there are 2 speakers, 2 with transcripts"):
        share_out({"a": 1.0, "b": 1.0}, {"a", "b"}, ALL, 1)
    with pytest.raises(UserError, match=r"0 with transcripts.*Transcripts stand beside the audio"):
        share_out(TWENTY, set(), ALL, 1)
