"""Rounded numbers are those of the exported networks, and gradients pass them straight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from understudy.device.network import Network
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.ship import quantise
from understudy.train.fake_quantisation import FakeQuantisation, quantised_rows, quantised_values


def test_rows_are_rounded_as_they_are_exported() -> None:
    rows = torch.randn(7, 30)
    weights, scales = quantise.rounded(rows.numpy())
    assert np.allclose(quantised_rows(rows), (weights.astype(float) - 128) * scales[:, None], atol=1e-6)


def test_values_keep_zero_and_lie_within_half_a_step() -> None:
    values = torch.cat([torch.randn(1000) * 2 + 1, torch.zeros(1)]).requires_grad_()
    got = quantised_values(values)
    step = float(values.max() - values.min()) / 255
    assert got[-1] == 0 and float((got - values).abs().max()) <= 0.5 * step * 1.01 + 1e-6
    assert len(got.unique()) <= 256
    weights = torch.randn(1001)
    (got * weights).sum().backward()
    assert torch.equal(values.grad, weights)


def test_values_are_rounded_as_a_network_rounds_them() -> None:
    nodes = [
        onnx.helper.make_node("DynamicQuantizeLinear", ["x"], ["bytes", "step", "zero"]),
        onnx.helper.make_node("DequantizeLinear", ["bytes", "step", "zero"], ["y"]),
    ]
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"]) for name in "xy")
    whole = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "rounded", [x], [y]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    torch.manual_seed(1)
    for shift in (-9.0, -0.3, 0.0, 0.3, 9.0):
        values = torch.randn(5000) + shift
        (expected,) = session.run(None, {"x": values.numpy()})
        assert np.array_equal(quantised_values(values).numpy(), expected)


def test_weights_are_exact_again_and_get_the_gradient_of_the_rounded() -> None:
    torch.manual_seed(0)
    model = LstmModel(ModelOptions(2, 16), 6, 9)
    features, lengths = torch.randn(2, 11, 6), torch.tensor([11, 9])
    before = [p.detach().clone() for p in model.parameters()]
    rounding = FakeQuantisation(model)
    with rounding.weights():
        during = [p.detach().clone() for p in model.parameters()]
        model(features, lengths).square().sum().backward()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before))
    for p, q in zip(during, before):
        assert torch.equal(p, quantised_rows(q) if q.dim() == 2 else q)
    # A model that has the rounded weights, and rounds its inputs, has these gradients.
    other = LstmModel(ModelOptions(2, 16), 6, 9)
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        for p, q in zip(other.parameters(), during):
            p.copy_(q)
    FakeQuantisation(other)
    other(features, lengths).square().sum().backward()
    assert all(torch.allclose(p.grad, q.grad, atol=1e-5) for p, q in zip(model.parameters(), other.parameters()))


def shipped(tmp_path: Path) -> tuple[LstmModel, Network]:
    """A model, and the network that a device has of it."""
    torch.manual_seed(3)
    model = LstmModel(ModelOptions(2, 32), 3 * NUM_MELS, 40)
    with torch.no_grad():
        model.output.weight.mul_(6)
    normaliser = Normaliser(np.zeros(NUM_MELS, np.float32), np.ones(NUM_MELS, np.float32))
    quantise.write_network("int8-dynamic", model, normaliser, "a tree", [], tmp_path / "small.onnx")
    return model, Network(tmp_path / "small.onnx")


def test_a_frame_alone_is_that_of_the_device(tmp_path: Path) -> None:
    model, network = shipped(tmp_path)
    frames = torch.randn(40, 1, 3 * NUM_MELS)
    exact = torch.stack([model.logits([frame])[0] for frame in frames])
    device = torch.stack([torch.from_numpy(network.run(frame.numpy(), network.still)[0]) for frame in frames])
    with FakeQuantisation(model).weights():
        rounded = torch.stack([model.logits([frame])[0] for frame in frames])
    # No state was there to be rounded, and both took their steps from the same frame: the same numbers, but where
    # floats that are summed in another order fall to the other side of a step (in layer 2 or the output).
    differ = (rounded - device).abs().amax((1, 2))
    assert (differ < 1e-4).float().mean() > 0.9
    assert float((rounded - device).abs().mean()) < 0.05 * float((exact - device).abs().mean())


def test_it_loses_what_the_device_does(tmp_path: Path) -> None:
    model, network = shipped(tmp_path)
    features = torch.randn(60, 3 * NUM_MELS)
    stream = network.utterance()
    device = torch.from_numpy(np.concatenate([stream(features.numpy()), stream.finish()]))
    (exact,) = model.logits([features])
    with FakeQuantisation(model).weights():
        (rounded,) = model.logits([features])
    # Not the same numbers, as the device rounds its state too and takes its steps from fewer frames; but the same loss.
    ratio = float((rounded - exact).abs().mean() / (device - exact).abs().mean())
    assert 0.5 < ratio < 2
