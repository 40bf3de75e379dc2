"""Parts of a set: nested, by utterance or speaker, copies at other speeds along with their original."""

import pytest
from lhotse import MonoCut, SupervisionSegment

from understudy.corpus import is_perturbed, original_id
from understudy.corpus.build import COPY_OF
from understudy.corpus.subset import choose, evenly, unit_of
from understudy.step import UserError


def cut(number: int, speed: str = "", speaker: str | None = "s") -> MonoCut:
    name = f"u{number:03d}{speed}"
    who = SupervisionSegment(name, name, 0, 36.0, speaker=speaker)
    of = {COPY_OF: f"u{number:03d}"} if speed else None
    return MonoCut(name, 0, 36.0 if not speed else 40.0, 0, supervisions=[who], custom=of)


CUTS = [cut(i, speaker=f"s{i % 10}") for i in range(100)]  # an hour, ten speakers


def test_parts_are_nested_and_as_long_as_asked_for():
    before: set[str] = set()
    for hours in (0.1, 0.25, 0.5, 1.0):
        chosen, total = choose(CUTS, hours, seed=1)
        assert hours <= total < hours + 0.0101 and len(chosen) == round(total * 100)
        assert before < chosen
        before = chosen
    assert choose(CUTS, 0.25, 2)[0] != choose(CUTS, 0.25, 1)[0]


def test_the_order_of_the_manifest_does_not_matter():
    assert choose(CUTS, 0.3, 1) == choose(CUTS[::-1], 0.3, 1)


def test_by_speaker_all_of_a_speaker_is_taken():
    chosen, total = choose(CUTS, 0.25, 1, "speaker")
    assert len(chosen) == 3 and total == pytest.approx(0.3)
    kept = [c for c in CUTS if unit_of(c, "speaker") in chosen]
    assert len(kept) == 30


def test_copies_at_other_speeds_come_along_and_are_not_counted():
    copies = [cut(i, "_sp0.9") for i in range(100)]
    assert choose([*copies, *CUTS], 0.25, 1) == choose(CUTS, 0.25, 1)
    assert is_perturbed(copies[3]) and original_id(copies[3]) == CUTS[3].id == unit_of(copies[3], "utterance")


@pytest.mark.parametrize("hours", [0, -1, 1.01])
def test_more_than_there_is_or_nothing_is_refused(hours):
    with pytest.raises(UserError, match="hours asked for"):
        choose(CUTS, hours, 1)


def test_by_speaker_needs_speakers():
    with pytest.raises(UserError, match="u000: no speaker"):
        choose([cut(0, speaker=None)], 0.01, 1, "speaker")


def test_an_even_part_has_as_many_of_each_speaker_as_there_are():
    cuts = [cut(number, speaker=speaker) for number, speaker in enumerate("aaaaabbac")]
    assert [one.id for one in evenly(cuts, 3)] == ["u000", "u005", "u008"]
    assert [one.id for one in evenly(cuts, 4)] == ["u000", "u001", "u005", "u008"]
    speakers = [one.supervisions[0].speaker for one in evenly(cuts, 6)]
    assert sorted(speakers) == ["a", "a", "a", "b", "b", "c"]
    assert evenly(cuts, 0) == evenly(cuts, 100) == cuts
    nameless = [cut(number, speaker=None) for number in range(3)]
    assert evenly(nameless, 2) == nameless[:2]
