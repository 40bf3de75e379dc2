"""A model that hears piece by piece says what it says of the whole."""

import pytest
import torch

from understudy.models.lstm import LstmModel
from understudy.models.options import ModelOptions
from understudy.models.stream import ModelStream
from understudy.step import UserError


@pytest.mark.parametrize("delay", [0, 2, 5])
@pytest.mark.parametrize("frames", [1, 3, 40])
def test_logits_of_any_pieces_are_those_of_the_whole(delay, frames):
    torch.manual_seed(delay + frames)
    model = LstmModel(ModelOptions(2, 16, delay=delay), 6, 9)
    features = torch.randn(frames, 6)
    whole = model.logits([features])[0]
    for size in (1, 2, 7, 40):
        stream = ModelStream(model)
        pieces = [stream(features[i : i + size]) for i in range(0, frames, size)]
        assert sum(map(len, pieces)) == max(frames - delay, 0)  # what is known by then, and not less
        got = torch.cat([*pieces, stream(features[:0]), stream.finish()])
        assert got.shape == whole.shape and torch.allclose(got, whole, atol=1e-5)


def test_nothing_heard_is_nothing_said():
    assert ModelStream(LstmModel(ModelOptions(1, 4, delay=3), 6, 9)).finish().shape == (0, 9)


def test_a_model_that_needs_the_whole_is_refused():
    with pytest.raises(UserError, match="can neither stream nor run"):
        ModelStream(LstmModel(ModelOptions(1, 4, bidirectional=True), 6, 9))
