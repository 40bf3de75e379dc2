"""Block momentum against the paper's equations, written out; means over ranks that are real processes."""

import numpy as np
import pytest
import torch

from understudy.step import UserError
from understudy.train.bmuf import Bmuf
from understudy.train.options import BmufOptions


@pytest.mark.parametrize("nesterov", [False, True])
def test_blocks_are_filtered_as_in_the_paper(nesterov):
    """Chen and Huo 2016, (1) to (5): W is the filtered model, W_g where the next block begins."""
    rng, eta, zeta = np.random.default_rng(0), 0.6, 0.8
    start, learnt = rng.normal(size=5), rng.normal(size=(4, 5))
    weight = torch.tensor(start)
    bmuf = Bmuf(BmufOptions(1, eta, zeta, nesterov), [weight])
    filtered, begin, delta = start.copy(), start.copy(), np.zeros(5)
    for step in learnt:
        weight += torch.tensor(step)
        bmuf.end([])
        delta = eta * delta + zeta * step
        filtered = filtered + delta
        begin = filtered + eta * delta if nesterov else filtered
        assert np.allclose(weight.numpy(), begin)


def test_options_that_make_no_sense():
    for wrong in ({"block": 0}, {"momentum": 1.0}, {"momentum": -0.1}):
        with pytest.raises(UserError, match="block is at least 1"):
            BmufOptions(**wrong)


WORK = """
import torch
from understudy.step import ranks
from understudy.train.bmuf import Bmuf, BmufOptions

def work():
    weights, moment = [torch.zeros(2, 3), torch.ones(4)], torch.full((2,), float(ranks.rank()))
    bmuf = Bmuf(BmufOptions(momentum=None, nesterov=False), weights)
    assert bmuf.momentum == 0.5
    for block in range(2):
        weights[0] += 1 + ranks.rank()      # mean 1.5
        weights[1] += 10 * ranks.rank()     # mean 5
        bmuf.end([moment])
    return [w.flatten().tolist() for w in weights] + [moment.tolist()]
"""


def test_all_ranks_go_on_from_one_model(in_ranks):
    first, second = in_ranks(WORK)
    # 1.5, then 0.5 · 1.5 + 1.5 more
    assert first == second == [[1.5 + 2.25] * 6, [1 + 5 + 7.5] * 4, [0.5] * 2]
