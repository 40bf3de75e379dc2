"""The factorised time-delay network against one written out by hand, alone and in batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from understudy import models
from understudy.models.options import ModelOptions
from understudy.models.tdnnf import BYPASS, TdnnfModel
from understudy.step import UserError


def network(layers: int = 3, cells: int = 16, seed: int = 0, **options: object) -> TdnnfModel:
    torch.manual_seed(seed)
    model = models.build(ModelOptions(layers, cells, kind="tdnnf", dropout=0.3, **options), 10, 7)
    assert isinstance(model, TdnnfModel)
    return model


def utterances(*lengths: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, 10, generator=generator) for length in lengths]


def by_hand(model: TdnnfModel, heard: torch.Tensor) -> torch.Tensor:
    """Frame by frame, each with its neighbours, zeros where there are none."""
    weights = {name: value.detach() for name, value in model.named_parameters()}

    def at(rows: list[torch.Tensor], t: int) -> torch.Tensor:
        return rows[t] if 0 <= t < len(rows) else torch.zeros_like(rows[0])

    def normal(row: torch.Tensor, name: str) -> torch.Tensor:
        deviation = (row.var(unbiased=False) + 1e-5).sqrt()
        return (row - row.mean()) / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    rows, frames = list(heard), range(len(heard))
    first = (torch.cat([at(rows, t - 1), at(rows, t), at(rows, t + 1)]) for t in frames)
    rows = [normal((weights["first.weight"] @ x + weights["first.bias"]).relu(), "first_norm") for x in first]
    for number in range(len(model.layers)):
        name = f"layers.{number}"
        narrow = [weights[f"{name}.narrow.weight"] @ torch.cat([at(rows, t - 1), at(rows, t)]) for t in frames]
        wide = [
            weights[f"{name}.widen.weight"] @ torch.cat([at(narrow, t), at(narrow, t + 1)])
            + weights[f"{name}.widen.bias"]
            for t in frames
        ]
        rows = [normal(one.relu(), f"{name}.norm") + BYPASS * old for one, old in zip(wide, rows, strict=True)]
    return torch.stack([weights["output.weight"] @ row + weights["output.bias"] for row in rows])


def test_it_is_what_its_equations_say_alone_and_beside_longer_utterances() -> None:
    model, heard = network(), utterances(9, 30, 1)
    for alone, together, one in zip([model.logits([one])[0] for one in heard], model.logits(heard), heard, strict=True):
        torch.testing.assert_close(alone, by_hand(model, one), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_a_frame_depends_on_its_context_and_no_more() -> None:
    model, (heard,) = network(), utterances(40)
    other = heard.clone()
    other[20] += 1
    changed = (model.logits([heard])[0] - model.logits([other])[0]).abs().sum(1).nonzero()[:, 0].tolist()
    assert changed == list(range(20 - model.context, 20 + model.context + 1))


def test_what_is_learnt_ignores_padding_and_takes_dropout() -> None:
    model, heard = network(), utterances(9, 30)
    padded = torch.full((2, 30, 10), 1e3)
    padded[0, :9], padded[1] = heard
    lengths = torch.tensor([9, 30])
    torch.testing.assert_close(model(padded, lengths)[0, :9], model(heard[0][None], lengths[:1])[0])
    masks = model.dropout_masks([[1], [2]])
    assert [mask.shape for mask in masks] == [(2, 1, 16)] * 3
    assert not torch.equal(model(padded, lengths, masks)[1], model(padded, lengths)[1])


def test_factors_become_semi_orthogonal_and_keep_their_scale() -> None:
    model = network(cells=64)
    before = [factor.norm() for factor in model.factors]
    for update in range(200):
        kept = [factor.clone() for factor in model.factors]
        model.constrain(update)
        assert all(map(torch.equal, kept, model.factors)) is (update % 4 != 0)
    for factor, norm in zip(model.factors, before, strict=True):
        product = (factor @ factor.T).detach()
        scale = product.diagonal().mean()
        torch.testing.assert_close(product / scale, torch.eye(len(factor)), atol=1e-4, rtol=0)
        assert 0.5 < float(factor.norm() / norm) < 2


def test_it_learns_what_no_single_frame_tells() -> None:
    model, generator = network(layers=2), np.random.default_rng(0)
    heard = torch.from_numpy(generator.standard_normal((8, 50, 10)).astype(np.float32))
    right = (heard[..., 0].roll(2, 1) + heard[..., 0].roll(-2, 1) > 0).long()
    optimizer, lengths = torch.optim.Adam(model.parameters(), 1e-2), torch.full((8,), 50)
    for update in range(120):
        loss = functional.cross_entropy(model(heard, lengths)[:, 2:-2].flatten(0, 1), right[:, 2:-2].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.constrain(update)
    assert float(loss) < 0.2  # chance is 0.69


def test_its_folder_is_read_as_it_was_written(tmp_path) -> None:
    model, heard = network(bottleneck=5), utterances(12)
    models.save(model, tmp_path)
    again = models.load(tmp_path)
    assert again.options == model.options and again.num_parameters == model.num_parameters
    torch.testing.assert_close(again.logits(heard)[0], model.logits(heard)[0])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "tdnnf", "delay": 3}, "--model.delay is an LSTM's"),
        ({"kind": "tdnnf", "bidirectional": True}, "--model.bidirectional is an LSTM's"),
        ({"kind": "tdnnf", "bottleneck": 256}, "--model.bottleneck 256: less than the 256 cells"),
        ({"layers": 0}, "--model: layers and cells are at least 1"),
        ({"bottleneck": 8}, "--model.bottleneck is a time-delay network's"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict, told: str) -> None:
    with pytest.raises(UserError, match=told):
        ModelOptions(**options)


def test_it_is_no_student_for_a_device() -> None:
    with pytest.raises(UserError, match="can neither stream nor run on a device"):
        models.streaming(network())
