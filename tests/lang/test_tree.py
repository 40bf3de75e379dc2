"""The decision tree: the split that enumeration finds, its limits, and its file."""

import itertools

import numpy as np
import pytest

from understudy.lang import tree
from understudy.step import UserError

SILENCE, PHONES = 1, 6


def statistics(seed: int = 0) -> tree.Statistics:
    """Frames of every context; phone 2 sounds otherwise after phones 3 and 4."""
    rng = np.random.default_rng(seed)
    stats: tree.Statistics = {}
    for left, centre, right, pdf_class in itertools.product(range(PHONES + 1), range(1, PHONES + 1), range(7), (0, 1)):
        mean = np.array([centre, pdf_class, 0.0])
        if centre == 2 and left in (3, 4):
            mean[2] = 5.0
        frames = mean + rng.normal(0, 0.5, (12, 3))
        tree.accumulate(stats, np.tile([left, centre, right, pdf_class], (12, 1)), frames)
    return stats


def test_likelihood_is_that_of_the_frames():
    frames = np.random.default_rng(0).normal(2, 3, (50, 4))
    stats: tree.Statistics = {}
    tree.accumulate(stats, np.tile([0, 1, 0, 0], (50, 1)), frames)
    density = -0.5 * (((frames - frames.mean(0)) ** 2 / frames.var(0)) + np.log(frames.var(0))).sum()
    assert tree.log_likelihood(stats[0, 1, 0, 0]) == pytest.approx(density)


def test_first_split_is_the_one_that_matters():
    stats = statistics()
    grown = tree.build(stats, PHONES, SILENCE, 2 * PHONES + 2, min_count=20, min_gain=10)
    assert grown.num_senones == 2 * PHONES + 2
    for pdf_class in (0, 1):
        after = {left: grown.senone(left, 2, 5, pdf_class) for left in range(PHONES + 1)}
        assert after[3] == after[4] and len({after[left] for left in (0, 1, 2, 5, 6)}) == 1 and after[3] != after[5]
    assert grown.senone(3, 5, 2, 0) == grown.senone(0, 5, 0, 0)


def test_every_senone_is_used_and_silence_is_whole():
    grown = tree.build(statistics(), PHONES, SILENCE, 40, min_count=20, min_gain=0)
    every = itertools.product(range(PHONES + 1), range(1, PHONES + 1), range(PHONES + 1), (0, 1))
    assert {grown.senone(*c) for c in every} == set(range(grown.num_senones))
    assert len({grown.senone(left, SILENCE, 2, 0) for left in range(7)}) == 1


def test_a_tree_of_left_contexts_hangs_on_no_phone_that_follows():
    both, left = (tree.build(statistics(), PHONES, SILENCE, 40, 20, 0, right=right) for right in (True, False))
    assert both.asks_right and not left.asks_right and left.num_senones > 2 * PHONES
    every = itertools.product(range(PHONES + 1), range(1, PHONES + 1), (0, 1))
    assert all(len({left.senone(a, b, c, pdf) for c in range(PHONES + 1)}) == 1 for a, b, pdf in every)


def test_minimum_count_is_kept():
    grown = tree.build(statistics(), PHONES, SILENCE, 500, min_count=200, min_gain=0)
    counts: dict[int, float] = {}
    for context, total in statistics().items():
        counts[grown.senone(*context)] = counts.get(grown.senone(*context), 0) + total[0]
    assert min(counts.values()) >= 200


def test_file_and_errors(tmp_path):
    grown = tree.build(statistics(), PHONES, SILENCE, 30, min_count=20, min_gain=0)
    grown.save(tmp_path / "tree.json")
    again = tree.Tree.load(tmp_path / "tree.json")
    assert all(again.senone(a, 2, b, 1) == grown.senone(a, 2, b, 1) for a in range(7) for b in range(7))
    with pytest.raises(UserError, match="phone 9"):
        grown.senone(0, 9, 0, 0)
    with pytest.raises(UserError, match="fewer than"):
        tree.build(statistics(), PHONES, SILENCE, 5)
