"""Networks say what their models say: in float32 to rounding, in bytes nearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from understudy.device.network import PIECE, Network
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.ship import quantise
from understudy.ship.check import compare
from understudy.ship.export import export
from understudy.step import UserError

INPUTS = 3 * NUM_MELS
NORMALISER = Normaliser(np.zeros(NUM_MELS, np.float32), np.ones(NUM_MELS, np.float32))


def student(layers: int = 2, cells: int = 32, delay: int = 3, senones: int = 40, projection: int = 0) -> LstmModel:
    torch.manual_seed(layers + delay)
    model = LstmModel(ModelOptions(layers, cells, delay=delay, projection=projection), INPUTS, senones)
    with torch.no_grad():
        model.log_priors.copy_(torch.randn(senones).log_softmax(0))
    return model.eval()


def speech(*frames: int) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(n, INPUTS) for n in frames]


@pytest.mark.parametrize(("layers", "delay", "projection"), [(1, 0, 0), (2, 3, 0), (3, 12, 0), (2, 3, 10)])
def test_every_frame_is_that_of_the_model(tmp_path: Path, layers: int, delay: int, projection: int) -> None:
    model, path = student(layers, delay=delay, projection=projection), tmp_path / "network.onnx"
    export(model, NORMALISER, "a tree", path)
    like = compare(model, path, speech(1, 2, PIECE, PIECE + 1, 57))
    assert like.frames == 1 + 2 + PIECE + PIECE + 1 + 57
    assert like.largest < 1e-4 and like.agree == 1.0


def test_pieces_change_no_bit(tmp_path: Path) -> None:
    model = student()
    for name in ("float32", "int8-dynamic", "int8-static"):
        path = tmp_path / f"{name}.onnx"
        made(model, name, path)
        network = Network(path)
        (features,) = (one.numpy() for one in speech(57))
        stream = network.utterance()
        whole = np.concatenate([stream(features), stream.finish()])
        assert len(whole) == len(features)
        for size in (1, 4, PIECE, 23):
            stream = network.utterance()
            pieces = [stream(features[i : i + size]) for i in range(0, len(features), size)]
            assert np.array_equal(np.concatenate([*pieces, stream.finish()]), whole)


def made(model: LstmModel, precision: str, path: Path) -> None:
    """A network of a precision, calibrated on other speech than is tested."""
    torch.manual_seed(9)
    quantise.write_network(precision, model, NORMALISER, "a tree", [torch.randn(200, INPUTS)], path)


@pytest.mark.parametrize("precision", ["int8-dynamic", "int8-static"])
@pytest.mark.parametrize("projection", [0, 64])
def test_bytes_say_nearly_the_same_in_a_third_of_the_room(tmp_path: Path, precision: str, projection: int) -> None:
    model = student(3, 96, senones=200, projection=projection)
    made(model, "float32", tmp_path / "full.onnx")
    made(model, precision, tmp_path / "small.onnx")
    like = compare(model, tmp_path / "small.onnx", speech(80, 40))
    assert 1e-7 < like.divergence < 0.01 and like.agree > 0.8
    assert (tmp_path / "small.onnx").stat().st_size < 0.33 * (tmp_path / "full.onnx").stat().st_size
    weights = {w.name: w.data_type for w in onnx.load(tmp_path / "small.onnx").graph.initializer}
    # Two a layer, and the output's.
    assert sum(kind in (onnx.TensorProto.UINT8, onnx.TensorProto.INT8) for kind in weights.values()) >= 7
    assert Network(tmp_path / "small.onnx").about == Network(tmp_path / "full.onnx").about


def test_static_products_are_those_of_rounded_numbers() -> None:
    rng = np.random.default_rng(3)
    rows, held = rng.normal(size=(5, 8)), (-2.0, 3.0)
    features = rng.uniform(-2, 3, size=(4, 8)).astype(np.float32)
    network = quantise.Static({"w": held})
    out = network.product("w", rows, "x")
    graph = onnx.helper.make_graph(
        network.nodes, "product", [onnx.helper.make_tensor_value_info("x", 1, [4, 8])],
        [onnx.helper.make_tensor_value_info(out, 1, [4, 5])],
        [onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in network.weights.items()],
    )  # fmt: skip
    whole = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (got,) = onnxruntime.InferenceSession(whole.SerializeToString()).run(None, {"x": features})
    scale, zero = quantise.step_and_zero(held)
    x = (np.clip(np.rint(features / np.float32(scale)) + zero, 0, 255) - zero) * scale
    weights, scales = quantise.rounded(rows)
    w = (weights.astype(float) - 128) * scales[:, None]
    assert np.abs(w - rows).max() <= np.abs(rows).max() / 127 / 2 + 1e-9
    assert np.allclose(got, x @ w.T, atol=1e-4)
    assert np.abs(got - features @ rows.T).max() < 0.2


def test_calibration_leaves_outliers_out_and_keeps_zero() -> None:
    model = student()
    torch.manual_seed(2)
    features = torch.rand(2000, INPUTS) + 1.0  # all above 1
    features[7, 7] = 1e6
    ranges = quantise.calibrate(model, [features])
    assert ranges["lstm.0.w"][0] == 0.0 and 1.9 < ranges["lstm.0.w"][1] < 2.1
    assert -1 <= ranges["lstm.1.r"][0] < 0 < ranges["lstm.1.r"][1] <= 1
    assert set(ranges) == {"output", *(f"lstm.{n}.{of}" for n in (0, 1) for of in "wrp")}
    with pytest.raises(UserError, match="unlabelled speech"):
        quantise.calibrate(model, [])


def test_a_teacher_is_not_exported(tmp_path: Path) -> None:
    teacher = LstmModel(ModelOptions(1, 8, bidirectional=True), INPUTS, 9)
    with pytest.raises(UserError, match="can neither stream nor run"):
        export(teacher, NORMALISER, "a tree", tmp_path / "network.onnx")
