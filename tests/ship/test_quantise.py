"""The integers of 8-bit networks are exact, here and on a processor without 8-bit dot products."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from understudy.features.logmel import NUM_MELS
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.ship import quantise
from understudy.ship.export import Network

INPUTS = 3 * NUM_MELS
WIDTHS = (1, 2, 3, 64, 65, 128, 192, 193)
OUTPUTS = 37  # a whole panel of each kernel, and a part of one
ZEROS = {0: (0.0, 255.0), 128: (-128.0, 127.0), 255: (-255.0, 0.0)}  # byte of zero: range with a step of 1


def extreme(rng: np.random.Generator, shape: tuple[int, int], low: int, high: int) -> np.ndarray:
    """Rows at one end, at the other, in turns, and drawn from both ends."""
    found = rng.choice([low, high], shape)
    found[0], found[1], found[2] = high, low, np.where(np.arange(shape[1]) % 2, low, high)
    return found


def product_network(network: Network, rows: np.ndarray) -> onnx.ModelProto:
    """A graph x -> y of one product alone."""
    out = network.product("w", rows, "x")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["frames", rows.shape[1]])
    y = helper.make_tensor_value_info(out, TensorProto.FLOAT, ["frames", len(rows)])
    weights = [numpy_helper.from_array(np.asarray(v), name) for name, v in network.weights.items()]
    graph = helper.make_graph(network.nodes, "product", [x], [y], weights)
    return helper.make_model(graph, opset_imports=network.opsets(), ir_version=8)


class Signed(quantise.Static):
    """What the networks would be with signed weights."""

    def integers(self, name: str, rows: np.ndarray, features: str, scale: str, zero: str) -> str:
        table = self.weight(name, np.ascontiguousarray(rows.T.astype(np.int8)))
        return self.node("Cast", self.node("MatMulInteger", features, table, zero), to=TensorProto.FLOAT)


class Plain(quantise.Dynamic):
    """Layers of plain operators, with or without projection."""

    lstm = quantise.Bytes.lstm


def write_products(folder: Path) -> dict[str, np.ndarray]:
    """Networks of products whose steps are 1; returns what has to come of each run, in 64-bit integers."""
    rng, expected = np.random.default_rng(0), {}
    for width in WIDTHS:
        rows = extreme(rng, (OUTPUTS, width), -127, 127)
        for zero, held in ZEROS.items():
            x = extreme(rng, (10, width), *map(int, held))
            x[3, 0], x[3, -1] = held  # both ends, by which a step that is found is 1
            networks = {"static": quantise.Static({"w": held}), "dynamic": quantise.Dynamic()}
            if width == 193:
                networks["signed"] = Signed({"w": held})
            for kind, network in networks.items():
                name = f"{kind}-{width}-{zero}"
                onnx.save(product_network(network, rows.astype(float)), folder / f"{name}.onnx")
                # A frame alone, and several, have kernels of their own.
                runs = {"all": x, "one": x[3:4], "three": x[1:4]}
                np.savez(folder / f"{name}.npz", **{f"{k} x": v.astype(np.float32) for k, v in runs.items()})
                expected |= {f"{name} {k}": v.astype(np.int64) @ rows.T.astype(np.int64) for k, v in runs.items()}
    return expected


def write_students(folder: Path) -> None:
    """Students of both kinds, one by onnxruntime's operator and by plain ones, with extreme weights and without."""
    torch.manual_seed(4)
    for name, projection in (("plain", 0), ("projected", 20), ("extreme", 0)):
        model = LstmModel(ModelOptions(2, 65, projection=projection), INPUTS, 40)
        if name == "extreme":  # all weights at the ends of their row's range
            with torch.no_grad():
                for matrix in (p for p in model.parameters() if p.dim() == 2):
                    matrix.copy_(matrix.sign() * 0.02)
        speech = torch.randn(60, INPUTS)
        kinds = {"float": Network(), "dynamic": quantise.Dynamic(), "operators": Plain()}
        kinds["static"] = quantise.Static(quantise.calibrate(model, [speech]))
        hidden = torch.rand(2, 1, projection or 65) - 0.5
        runs = {"one": speech[:1], "all": speech}
        for kind, network in kinds.items():
            onnx.save(network.build(model), folder / f"{name}-{kind}.onnx")
            states = {"hidden": hidden.numpy(), "cell": np.full((2, 1, 65), 0.5, np.float32)}
            feeds = {f"{run} {k}": v for run, x in runs.items() for k, v in ({"features": x.numpy()} | states).items()}
            np.savez(folder / f"{name}-{kind}.npz", **feeds)


Heard = dict[str, np.ndarray]
"""Outputs by "network run output" """


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """Folder of networks, and what their integers have to be."""
    folder = tmp_path_factory.mktemp("networks")
    expected = write_products(folder)
    write_students(folder)
    return folder, expected


def hear(folder: Path, out: Path, *emulator: str) -> Heard:
    script = Path(__file__).parent / "on_processor.py"
    done = subprocess.run([*emulator, sys.executable, script, folder, out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(np.load(out))


@pytest.fixture(scope="module")
def here(made: tuple[Path, dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """What this processor makes of them."""
    return hear(made[0], tmp_path_factory.mktemp("here") / "out.npz")


@pytest.fixture(scope="module")
def elsewhere(made: tuple[Path, dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """What a processor with AVX2 makes of them that has no 8-bit dot products."""
    emulator = shutil.which("qemu-x86_64")
    if emulator is None or platform.machine() != "x86_64":
        pytest.skip("needs qemu-x86_64 on x86 (Debian: apt install qemu-user) to be a processor without VNNI")
    return hear(made[0], tmp_path_factory.mktemp("elsewhere") / "out.npz", emulator, "-cpu", "Haswell")


def products(heard: Heard, kind: str) -> Iterator[tuple[str, np.ndarray]]:
    return ((key.rsplit(" ", 1)[0], values) for key, values in heard.items() if key.startswith(kind))


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_extreme_products_are_exact(
    kind: str, where: str, made: tuple[Path, dict[str, np.ndarray]], request: pytest.FixtureRequest
) -> None:
    found = dict(products(request.getfixturevalue(where), kind))
    assert len(found) == len(WIDTHS) * len(ZEROS) * 3
    for key, values in found.items():
        # Sums are below 2^24, so float32 holds them as they are.
        assert np.array_equal(values.astype(np.int64), made[1][key]), key
    assert max(np.abs(values).max() for values in found.values()) == 193 * 255 * 127


def test_the_other_processor_is_one_that_saturates(elsewhere: Heard, made: tuple[Path, dict[str, np.ndarray]]) -> None:
    wrong = [not np.array_equal(values, made[1][key]) for key, values in products(elsewhere, "signed")]
    assert all(wrong) and wrong


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("student", ["plain", "extreme"])
def test_the_operator_of_onnxruntime_does_what_plain_ones_do(
    student: str, where: str, request: pytest.FixtureRequest
) -> None:
    heard = request.getfixturevalue(where)
    for output in ("hidden_after", "cell_after"):
        one, other = (heard[f"{student}-{kind} one {output}"] for kind in ("dynamic", "operators"))
        # The integers are the same; sums of floats in another order differ by some 1e-7.
        assert np.abs(one[0] - other[0]).max() < 1e-6
        assert np.abs(heard[f"{student}-float one {output}"][0] - other[0]).max() > 1e-5


@pytest.mark.parametrize("student", ["plain", "projected", "extreme"])
def test_students_are_the_same_to_the_bit_without_dot_products(student: str, here: Heard, elsewhere: Heard) -> None:
    for kind in ("static", "dynamic", "operators"):
        for output in ("logits", "hidden_after", "cell_after"):
            key = f"{student}-{kind} all {output}"
            assert np.array_equal(here[key], elsewhere[key]), key
    key = f"{student}-float all logits"
    assert np.allclose(here[key], elsewhere[key], atol=1e-5)
