"""Paired tests: by hand, against theory, and the verdict on systems that are known to be equal or not."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from understudy.score.paired import difference

UTTERANCES, WORDS = 400, 7


def errors(rng: np.random.Generator, rate: float | np.ndarray) -> np.ndarray:
    return rng.binomial(WORDS, rate, UTTERANCES)


def verdict(first: np.ndarray, second: np.ndarray, groups: np.ndarray | None = None) -> str:
    return difference([WORDS] * len(first), first, second, groups, replications=500).verdict(0.01)


def test_by_hand():
    # Gains -1, 0, -1, 0: mean -1/2, deviation 1/sqrt(3), of which four pairs make 1/sqrt(12).
    found = difference([5, 5, 5, 5], [2, 1, 3, 0], [1, 1, 2, 0])
    assert found.wer == pytest.approx(-10.0) and found.pairs == 4
    assert found.p_matched == pytest.approx(2 * NormalDist().cdf(-0.5 * 12**0.5))
    assert found.low == pytest.approx(-20) and found.high == pytest.approx(0)


def test_the_bootstrap_is_what_theory_says_for_many_pairs():
    rng = np.random.default_rng(1)
    first, second = errors(rng, 0.1), errors(rng, 0.11)
    found = difference([WORDS] * UTTERANCES, first, second)
    gain = (second - first) * 100 / WORDS
    spread = gain.std() / UTTERANCES**0.5
    assert found.low == pytest.approx(gain.mean() - 1.96 * spread, abs=0.06 * spread + 0.02)
    assert found.high == pytest.approx(gain.mean() + 1.96 * spread, abs=0.06 * spread + 0.02)
    assert found.p_bootstrap == pytest.approx(found.p_matched, abs=0.02)


def test_equal_systems_are_not_told_apart_and_different_ones_are():
    right = {"equal": 0, "worse": 0, "better": 0}
    for trial in range(100):
        rng = np.random.default_rng(trial)
        hard = rng.beta(1, 8, UTTERANCES)  # utterances are hard or easy for both
        first = errors(rng, hard)
        right["equal"] += verdict(first, errors(rng, hard)) == "no difference shown"
        right["worse"] += verdict(first, errors(rng, 1.6 * hard.clip(max=0.6))) == "the first is better"
        right["better"] += verdict(first, errors(rng, 0.5 * hard)) == "the second is better"
    assert min(right.values()) >= 95, right


def test_speakers_that_hang_together_are_drawn_as_a_whole():
    """Each speaker prefers one of two equal systems: by utterance this looks like a difference, by speaker not."""
    wrong = {"utterance": 0, "speaker": 0}
    speakers = np.repeat(np.arange(16), UTTERANCES // 16)
    for trial in range(60):
        rng = np.random.default_rng(trial)
        taste = rng.normal(0, 0.12, 16)[speakers]
        first, second = errors(rng, (0.25 + taste).clip(0)), errors(rng, (0.25 - taste).clip(0))
        wrong["utterance"] += verdict(first, second) != "no difference shown"
        wrong["speaker"] += verdict(first, second, speakers) != "no difference shown"
    assert wrong["utterance"] > 20 and wrong["speaker"] <= 3, wrong


def test_nothing_to_compare_is_said():
    for words, gain in (([], []), ([3], [1]), ([0, 0], [1, 1])):
        with pytest.raises(ValueError, match="nothing to compare"):
            difference(words, gain, gain)
    same = difference([3, 4], [1, 2], [1, 2])
    assert same.p_matched == same.p_bootstrap == 1.0 and same.wer == 0
