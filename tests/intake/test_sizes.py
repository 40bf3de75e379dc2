"""Sizes of new recipes lie between those that were tried."""

from __future__ import annotations

import pytest

from understudy.intake.sizes import configurations, sizes_of


def found(labelled: float, unlabelled: float = 0.0, speakers: int = 20, pairs: int = 900):
    sets = {"labelled": {"hours": labelled, "speakers": speakers}}
    if unlabelled:
        sets["unlabelled"] = {"hours": unlabelled, "speakers": 5}
    return sizes_of({"sets": sets, "phone_pairs": pairs})


def test_known_hours_have_the_known_sizes():
    an4 = found(0.15, 0.48)
    assert (an4.senones, an4.teacher_epochs, an4.realigned_epochs, an4.student_epochs, an4.distil_epochs) == (
        500, 24, 12, 40, 14)  # fmt: skip
    mini = found(1.2, 3.7)
    assert (mini.senones, mini.teacher_epochs, mini.realigned_epochs, mini.student_epochs, mini.distil_epochs) == (
        700, 14, 6, 14, 4)  # fmt: skip
    assert found(100.0, 860.0).senones == 1800  # no more than two for each pair of phones
    assert found(100.0, 860.0, pairs=5000).senones == 3000 and found(900.0, pairs=5000).senones == 3000
    assert found(0.01, 0.01).teacher_epochs == 24 and found(1000.0).student_epochs == 15


def test_between_them_sizes_lie_between():
    sizes = [found(hours, 2 * hours, pairs=5000) for hours in (0.15, 0.3, 0.6, 1.2, 5.0, 20.0, 99.0)]
    senones = [one.senones for one in sizes]
    assert senones == sorted(senones) and len(set(senones)) == 7 and 1000 < senones[4] < 1200
    assert [one.teacher_epochs for one in sizes] == sorted((one.teacher_epochs for one in sizes), reverse=True)
    assert "0.6 h are labelled, 1.2 h are not: between AN4's 0.15 h and mini LibriSpeech's 1.2 h" in sizes[2].why[0]


def test_few_speakers_few_words_many_hours():
    digits = found(0.13, 0.1, speakers=2, pairs=35)
    assert digits.few and (digits.senones, digits.teacher_epochs, digits.student_epochs) == (70, 4, 8)
    assert "2 labelled speakers are few" in digits.why[-1] and "no more than 70 senones" in digits.why[1]
    assert configurations(digits) == {
        "teacher": "free_spoken_digits", "student": "free_spoken_digits", "large": "mini_librispeech",
        "teacher-encoder": "mini_librispeech", "teacher-encoder-mmi": "mini_librispeech",
        "realigned": "mini_librispeech", "distil": "mini_librispeech", "longer": "mini_librispeech"}  # fmt: skip
    assert set(configurations(found(1.0)).values()) == {"mini_librispeech"}
    assert set(configurations(found(60.0)).values()) == {"librispeech"} and "want a GPU" in found(60.0).why[-1]


@pytest.mark.parametrize(("speakers", "few"), [(1, True), (4, True), (5, False)])
def test_how_many_are_few(speakers: int, few: bool):
    assert found(0.5, speakers=speakers).few == few
