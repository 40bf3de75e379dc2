"""Masks of time against a count of what they take, and against masks that are drawn one by one."""

import numpy as np
import pytest

from understudy.corpus.validate import TIME_MASK
from understudy.data.spec_augment import SpecAugment
from understudy.step import UserError

ONLY_TIME = {"freq_masks": 0, "time_masks": 2}


def masked(frames: int, seed: int, **options) -> int:
    """Frames that masks take of so many."""
    taken = SpecAugment(**{**ONLY_TIME, **options}).mask(np.ones((frames, 6), np.float32), np.random.default_rng(seed))
    whole = (taken == 0).all(1)
    assert ((taken == 1).all(1) | whole).all()
    return int(whole.sum())


@pytest.mark.parametrize(("options", "share"), [({}, 0.2), ({"time_masks": 7}, 0.2), ({"time_share": 0.5}, 0.5)])
def test_masks_together_take_no_more_than_their_share(options, share):
    taken = {n: max(masked(n, seed, **options) for seed in range(40)) for n in (1, 4, 5, 12, 40, 50, 119, 130)}
    assert all(most <= share * n for n, most in taken.items())
    assert all(taken[n] > 0.7 * share * n for n in (5, 40, 50))  # and they do take it


def test_masks_of_long_spans_are_what_each_draws_alone():
    augment = SpecAugment(**ONLY_TIME)
    for frames in (120, 121, 500, 3000):  # of 120 on, two masks of 12 frames are a fifth at most
        for seed in range(20):
            rng, expected = np.random.default_rng(seed), np.ones((frames, 6), np.float32)
            for _ in range(2):
                width = int(rng.integers(0, min(12, frames // 5) + 1))
                start = int(rng.integers(0, frames - width + 1))
                expected[start : start + width] = 0.0
            assert (augment.mask(np.ones((frames, 6), np.float32), np.random.default_rng(seed)) == expected).all()


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_makes_no_sense_is_named(share):
    with pytest.raises(UserError, match=r"--train.augment.time_share .*: it is from 0 to 1"):
        SpecAugment(time_share=share)


def test_the_validator_knows_how_long_a_mask_is():
    assert pytest.approx(SpecAugment().time_width * 0.03) == TIME_MASK
