"""Threads give the gradient of the whole batch; what is loaded ahead comes in order."""

import pytest
import torch

from understudy.parallel.prefetch import Prefetcher
from understudy.train.threads import Threads


def test_the_gradient_is_that_of_the_whole_batch():
    torch.manual_seed(0)
    layer = torch.nn.LSTM(3, 5, batch_first=True)
    parameters = list(layer.parameters())
    batch = torch.randn(7, 4, 3)
    whole = layer(batch)[0].pow(2).mean()
    expected = torch.autograd.grad(whole, parameters)
    parts = [batch[i::3] for i in range(3)]
    value, gradients = Threads(3).gradients(
        parameters, lambda part: layer(part)[0].pow(2).mean(), parts, [len(part) / 7 for part in parts]
    )
    assert value == pytest.approx(float(whole), rel=1e-5)
    for ours, theirs in zip(gradients, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_an_error_in_a_thread_is_raised():
    with pytest.raises(ValueError, match="bad part"):
        Threads(2).gradients([], lambda part: (_ for _ in ()).throw(ValueError("bad part")), [1, 2], [0.5, 0.5])


def test_items_made_ahead_come_in_order():
    made = []
    used = []
    for item in Prefetcher()(lambda i: made.append(i) or i * i, range(5)):
        used.append(item)
    assert used == [0, 1, 4, 9, 16] and made == list(range(5))
    assert list(Prefetcher()(lambda i: i, [])) == []
