"""Factorised students: exact where the rank allows, and the nearer the wider."""

from __future__ import annotations

import pytest
import torch

from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.ship.factorise import factorise
from understudy.step import UserError


def trained(cells: int = 24, rank: int = 24) -> LstmModel:
    """A model whose matrices between outputs and gates have no more than this rank, all in one space."""
    torch.manual_seed(0)
    model = LstmModel(ModelOptions(2, cells, delay=1), 12, 9)
    basis = torch.linalg.qr(torch.randn(cells, rank)).Q
    basis = torch.linalg.qr(basis - basis.mean(0)).Q  # no part of it is a mean
    with torch.no_grad():
        for layer, norm in zip(model.layers, model.norms):
            norm.bias.normal_()
            layer[0].weight_hh_l0.copy_(layer[0].weight_hh_l0 @ basis @ basis.T)
        model.layers[1][0].weight_ih_l0.copy_(model.layers[1][0].weight_ih_l0 @ basis @ basis.T)
        model.output.weight.copy_(3 * model.output.weight @ basis @ basis.T)
    return model


def test_within_the_rank_gates_and_biases_are_the_same() -> None:
    model = trained(rank=6)
    small = factorise(model, 8)
    state = torch.tanh(torch.randn(5, 24))
    for number in (0, 1):
        old, new = model.layers[number][0], small.layers[number][0]
        projected = state @ new.weight_hr_l0.T
        assert torch.allclose(projected @ new.weight_hh_l0.T, state @ old.weight_hh_l0.T, atol=1e-5)
        # What the next one hears, but for the spread, which is that of other numbers.
        reads, read = (model.layers[1][0], small.layers[1][0]) if number == 0 else (model.output, small.output)
        (weight, bias), (narrow, offset) = (
            (m.weight_ih_l0, m.bias_ih_l0) if number == 0 else (m.weight, m.bias) for m in (reads, read)
        )
        norm = model.norms[number]
        centred = state - state.mean(1, keepdim=True)
        assert torch.allclose(projected @ narrow.T, centred * norm.weight @ weight.T, atol=1e-5)
        assert torch.allclose(offset, bias + weight @ norm.bias, atol=1e-5)


def test_wider_is_nearer() -> None:
    model, features = trained(), torch.randn(200, 12)
    (exact,) = model.logits([features])
    apart = []
    for projection in (2, 8, 16, 23):
        (got,) = factorise(model, projection).logits([features])
        apart.append(float((got - exact).square().mean() / exact.var()))
    assert apart == sorted(apart, reverse=True) and apart[-1] < 0.2 * apart[0]


def test_it_is_smaller_and_keeps_what_it_knows() -> None:
    model = trained()
    model.meta = {"updates": 7}
    small = factorise(model, 8)
    assert small.num_parameters < model.num_parameters
    assert small.meta["updates"] == 7 and small.options.projection == 8
    assert torch.equal(small.log_priors, model.log_priors)


def test_what_cannot_be_factorised_is_refused() -> None:
    with pytest.raises(UserError, match="can neither stream nor run"):
        factorise(LstmModel(ModelOptions(1, 8, bidirectional=True), 6, 9), 4)
    with pytest.raises(UserError, match="less than the 24 cells"):
        factorise(trained(), 24)
    for none in (0, -1):
        with pytest.raises(UserError, match=f"--projection {none}: 1 or more, and less than the 24 cells"):
            factorise(trained(), none)
