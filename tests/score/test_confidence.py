"""What confidences are worth."""

import math

import numpy as np
import pytest

from understudy.score.confidence import correct, normalised_cross_entropy


def test_words_are_right_where_they_stand_beside_their_like():
    assert correct("a b c d".split(), "a x c c d".split()) in ([True, False, True, False, True], [True, False, False, True, True])  # fmt: skip # noqa: E501
    assert correct([], ["a", "b"]) == [False, False] and correct(["a"], []) == []


def test_words_are_made_alike_one_by_one():
    assert correct(["Um", "The", "Cat,"], ["the", "uh", "cat"], ["case", "punctuation", "fillers"]) == [
        True,
        False,
        True,
    ]


def test_the_share_of_right_words_is_worth_nothing_and_certainty_everything():
    right = [True] * 6 + [False] * 2
    assert normalised_cross_entropy([0.75] * 8, right) == pytest.approx(0.0)
    assert normalised_cross_entropy([1.0 if one else 0.0 for one in right], right) == pytest.approx(1.0, abs=1e-4)
    assert normalised_cross_entropy([0.99] * 8, right) < 0
    assert normalised_cross_entropy([0.5], [True]) is None and normalised_cross_entropy([], []) is None


def test_it_is_that_of_nist():
    """H = -n log2 p - (N - n) log2 (1 - p); (H + sum of log2 of what was told of the truth) / H."""
    rng = np.random.default_rng(2)
    told, right = rng.uniform(0.05, 0.95, 50).tolist(), (rng.random(50) < 0.7).tolist()
    n, p = sum(right), sum(right) / 50
    most = -n * math.log2(p) - (50 - n) * math.log2(1 - p)
    given = sum(math.log2(c) for c, one in zip(told, right) if one)
    given += sum(math.log2(1 - c) for c, one in zip(told, right) if not one)
    assert normalised_cross_entropy(told, right) == pytest.approx((most + given) / most)
