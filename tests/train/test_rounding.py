"""Rounded numbers are those of the exported networks, and gradients pass them straight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from understudy.device.network import Network
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.models import AcousticModel, ModelOptions
from understudy.ship import quantise
from understudy.train.rounding import Rounding, rounded_rows, rounded_values


def test_rows_are_rounded_as_they_are_exported() -> None:
    rows = torch.randn(7, 30)
    weights, scales = quantise.rounded(rows.numpy())
    assert np.allclose(rounded_rows(rows), (weights.astype(float) - 128) * scales[:, None], atol=1e-6)


def test_values_keep_zero_and_lie_within_half_a_step() -> None:
    values = torch.cat([torch.randn(1000) * 2 + 1, torch.zeros(1)]).requires_grad_()
    got = rounded_values(values)
    step = float(values.max() - values.min()) / 255
    assert got[-1] == 0 and float((got - values).abs().max()) <= 0.5 * step * 1.01 + 1e-6
    assert len(got.unique()) <= 256
    weights = torch.randn(1001)
    (got * weights).sum().backward()
    assert torch.equal(values.grad, weights)


def test_weights_are_exact_again_and_get_the_gradient_of_the_rounded() -> None:
    torch.manual_seed(0)
    model = AcousticModel(ModelOptions(2, 16), 6, 9)
    features, lengths = torch.randn(2, 11, 6), torch.tensor([11, 9])
    before = [p.detach().clone() for p in model.parameters()]
    rounding = Rounding(model)
    with rounding.weights():
        during = [p.detach().clone() for p in model.parameters()]
        model(features, lengths).square().sum().backward()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before))
    for p, q in zip(during, before):
        assert torch.equal(p, rounded_rows(q) if q.dim() == 2 else q)
    # A model that has the rounded weights, and rounds its inputs, has these gradients.
    other = AcousticModel(ModelOptions(2, 16), 6, 9)
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        for p, q in zip(other.parameters(), during):
            p.copy_(q)
    Rounding(other)
    other(features, lengths).square().sum().backward()
    assert all(torch.allclose(p.grad, q.grad, atol=1e-5) for p, q in zip(model.parameters(), other.parameters()))


def test_it_loses_what_the_device_does(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = AcousticModel(ModelOptions(2, 32), 3 * NUM_MELS, 40)
    with torch.no_grad():
        model.output.weight.mul_(6)
    features = torch.randn(60, 3 * NUM_MELS)
    normaliser = Normaliser(np.zeros(NUM_MELS, np.float32), np.ones(NUM_MELS, np.float32))
    quantise.write_network("int8-dynamic", model, normaliser, "a tree", [], tmp_path / "small.onnx")
    stream = Network(tmp_path / "small.onnx").utterance()
    device = torch.from_numpy(np.concatenate([stream(features.numpy()), stream.finish()]))
    (exact,) = model.logits([features])
    with Rounding(model).weights():
        (rounded,) = model.logits([features])
    # Not the same numbers, as the device takes its scales from fewer frames; but the same loss.
    ratio = float((rounded - exact).abs().mean() / (device - exact).abs().mean())
    assert 0.5 < ratio < 2
