"""Differences over speakers: by hand, against theory, and the verdict on systems that are known to be equal or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.bench import significance

from understudy.score.paired import Difference, difference, holm, ratio

UTTERANCES, WORDS = 400, 7
SPEAKERS = [f"s{i % 20}" for i in range(UTTERANCES)]


def errors(rng: np.random.Generator, rate: float | np.ndarray) -> np.ndarray:
    return rng.binomial(WORDS, rate, UTTERANCES)


def test_by_hand():
    # Speakers of 10 words each, gains -1 and -3: rates -10 and -30 % without one, -20 % with both. The variance is
    # 1/2 (10² + 10²), and t of one degree of freedom is 12.706.
    found = difference([5, 5, 4, 6], [2, 1, 3, 2], [1, 1, 2, 0], ["a", "a", "b", "b"])
    assert (found.wer, found.groups, found.by, found.speakers) == (pytest.approx(-20.0), 2, "speaker", 2)
    assert (found.low, found.high) == (pytest.approx(-20 - 127.06, abs=0.01), pytest.approx(-20 + 127.06, abs=0.01))
    assert found.p is None and found.verdict() == "too few speakers to tell" and found.told() == "2 speakers"


def test_with_speakers_of_one_utterance_of_as_many_words_it_is_the_t_test():
    rng = np.random.default_rng(1)
    first, second = errors(rng, 0.1), errors(rng, 0.13)
    found = difference([WORDS] * UTTERANCES, first, second, [str(i) for i in range(UTTERANCES)])
    gain = (second - first) * 100 / WORDS
    error = gain.std(ddof=1) / UTTERANCES**0.5
    assert (found.low, found.high) == pytest.approx(
        (gain.mean() - 1.966 * error, gain.mean() + 1.966 * error), abs=0.01
    )
    assert found.p == pytest.approx(
        np.mean(np.abs(rng.standard_t(UTTERANCES - 1, 10**6)) > gain.mean() / error), abs=0.01
    )


@pytest.mark.parametrize("speech", [significance.COMMANDS, significance.READ])
def test_equal_systems_are_hardly_ever_called_different(speech):
    """With 16 speakers; as if utterances were independent they would be in one trial of six, or in two of five."""
    by_utterance, by_speaker, starred = significance.false_positives(speech, 16, 400, seed=2)
    assert by_utterance > 0.1 and by_speaker == starred <= 0.02


def test_fewer_than_eight_speakers_get_no_star():
    *_, starred = significance.false_positives(replace(significance.READ, taste=1.0), 7, 30)
    assert starred == 0
    words, first, speakers = [10] * 70, [1] * 70, [f"s{i % 7}" for i in range(70)]
    found = difference(words, first, [5] * 70, speakers)
    assert found.p is None and not found.significant() and found.low == found.wer == pytest.approx(40)
    assert difference(words, first, [5] * 70, [f"s{i % 8}" for i in range(70)]).verdict() == "the first is better"


def test_systems_that_differ_are_told_apart():
    right = {"worse": 0, "better": 0}
    for trial in range(40):
        rng = np.random.default_rng(trial)
        hard = rng.beta(1, 8, UTTERANCES)  # utterances are hard or easy for both
        first = errors(rng, hard)
        for way, rate in (("worse", 1.6 * hard.clip(max=0.6)), ("better", 0.5 * hard)):
            told = difference([WORDS] * UTTERANCES, first, errors(rng, rate), SPEAKERS).verdict()
            right[way] += told == ("the first is better" if way == "worse" else "the second is better")
    assert min(right.values()) >= 38, right


def test_one_speaker_or_none_named_gives_an_interval_and_no_star():
    words, first, second = [WORDS] * 50, [3] * 50, [1, 0] * 25
    for speaker, told in (("ann", "50 utterances of one speaker"), ("", "50 utterances without names of speakers")):
        found = difference(words, first, second, [speaker] * 50)
        assert found.told() == told and found.p is None and found.low < found.wer < found.high < 0
        asked = difference(words, first, second, [speaker] * 50, by="utterance")
        assert asked.significant() and (asked.low, asked.high) == (found.low, found.high)
    assert difference(words, first, second, [""] + ["ann", "bob"] * 24 + ["ann"]).by == "utterance"  # one is not named


def test_p_is_corrected_for_the_number_of_tests():
    one = Difference(-1.0, -2.0, -0.5, 0.004, 20, "speaker", 20)
    found = holm({name: replace(one, p=p) for name, p in {"a": 0.004, "b": 0.001, "c": None, "d": 0.03}.items()})
    # The least of three by 3, the next by 2, the last by 1; none is less than the one before.
    assert [found[name].corrected for name in "abcd"] == [pytest.approx(0.008), pytest.approx(0.003), None, 0.03]
    assert [found[name].tests for name in "abd"] == [3, 3, 3]
    assert found["a"].significant(0.01) and not found["a"].significant(0.005) and not found["c"].significant()
    many = holm({i: replace(one, p=0.004) for i in range(3)})
    assert one.significant() and not any(of.significant() for of in many.values())
    assert all(of.corrected == pytest.approx(0.012) for of in many.values())
    assert holm({0: replace(one, p=0.6), 1: replace(one, p=0.7)})[0].corrected == 1.0


def test_nothing_to_compare_is_said():
    for words, gain in (([], []), ([3], [1]), ([0, 0], [1, 1]), ([4, 0], [1, 1])):
        with pytest.raises(ValueError, match="nothing to compare"):
            difference(words, gain, gain, [str(i) for i in range(len(words))])
    same = difference([3] * 8, [1] * 8, [1] * 8, list("abcdefgh"))
    assert same.p == 1.0 and same.wer == same.low == same.high == 0
    with pytest.raises(ValueError):
        difference([3], [1, 2], [1], ["a"])


def test_a_ratio_is_that_of_the_sums_and_its_interval_is_over_speakers():
    rng = np.random.default_rng(3)
    first, second = errors(rng, 0.2), errors(rng, 0.3)
    found, low, high = ratio(first, second, SPEAKERS)
    assert found == pytest.approx(second.sum() / first.sum())
    sums = {name: [of[[s == name for s in SPEAKERS]].sum() for of in (first, second)] for name in set(SPEAKERS)}
    left = np.array(list(sums.values()))
    drawn = [np.divide(*left[rng.integers(20, size=20)].sum(0)[::-1]) for _ in range(4000)]  # a bootstrap is much alike
    assert (high - low) / 2 == pytest.approx(2.093 * np.std(drawn), rel=0.1)
    assert low < found < high
    assert ratio(first, first, SPEAKERS) == (1.0, 1.0, 1.0)
    assert ratio([0, 0], [1, 2], "ab") is None and ratio([3], [1], "a") is None and ratio([], [], "") is None
    assert ratio([0, 0, 1], [1, 2, 1], "abc") is None  # one has all errors of the first
