"""Networks with 8-bit weights and activations.

Weights have one scale for each output. Activations get theirs from what they hold at each step (dynamic, by
onnxruntime's own quantiser), or from what they held in unlabelled speech (static). Static weights are unsigned, around
128: on x86 without VNNI instructions a product of signed weights and unsigned activations saturates at 16 bits.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import torch
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from understudy.features import Normaliser
from understudy.models import AcousticModel
from understudy.ship.export import Network, export, write
from understudy.stage import UserError

Precision = Literal["float32", "int8-dynamic", "int8-static"]

_CLIPPED = 1e-4  # share of the activations outside of their range, on each side (our choice)
_SAMPLES = 20_000  # values kept of each utterance and tensor


def write_network(
    precision: Precision, model: AcousticModel, normaliser: Normaliser, tree: str, speech: Iterable[Tensor], path: Path
) -> None:
    """Write a network.onnx of a precision.

    Args:
        tree: fingerprint of the phonetic decision tree.
        speech: utterances (frames, inputs) that static scales are taken from.
    """
    network = Network()
    if precision == "int8-static":
        network = Static(calibrate(model, speech))
    elif precision == "int8-dynamic" and model.options.projection:
        network = Dynamic()
    export(model, normaliser, tree, path, network)
    if precision == "int8-dynamic" and not model.options.projection:
        dynamic(path)


def dynamic(path: Path) -> None:
    """Let onnxruntime's own quantiser make a network of `export` one of bytes, in place."""
    kinds = ["LSTM", "MatMul"]
    logging.disable(logging.WARNING)  # the quantiser asks for a preparation that our networks do not need
    try:
        with tempfile.TemporaryDirectory() as scratch:
            small = Path(scratch) / "small.onnx"
            quantize_dynamic(path, small, op_types_to_quantize=kinds, weight_type=QuantType.QUInt8, per_channel=True)
            whole = onnx.load(small)
    finally:
        logging.disable(logging.NOTSET)
    write(whole, {p.key: p.value for p in onnx.load(path).metadata_props}, path)


Ranges = dict[str, tuple[float, float]]
"""Lowest and highest value of what goes into each product, without outliers"""


@torch.no_grad()
def calibrate(model: AcousticModel, utterances: Iterable[Tensor]) -> Ranges:
    """Run the model over some utterances (frames, inputs).

    Raises:
        UserError: there are none.
    """
    held: dict[str, list[np.ndarray]] = {}
    rng = np.random.default_rng(0)

    def keep(name: str, values: Tensor) -> None:
        flat = values.numpy().ravel()
        held.setdefault(name, []).append(flat if len(flat) <= _SAMPLES else rng.choice(flat, _SAMPLES, replace=False))

    for features in utterances:
        out = features[None]
        for number, (layer, norm) in enumerate(zip(model.layers, model.norms, strict=True)):
            keep(f"lstm.{number}.w", out)
            out = layer[0](out)[0]
            keep(f"lstm.{number}.r", out)
            out = norm(out)
        keep("output", out)
    if not held:
        raise UserError("nothing to calibrate on: give a manifest of unlabelled speech")
    # What is projected is the product of a sigmoid and a hyperbolic tangent.
    projected = {f"lstm.{number}.p": (-1.0, 1.0) for number in range(len(model.layers))}
    return projected | {name: _range(np.concatenate(values)) for name, values in held.items()}


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [_CLIPPED, 1 - _CLIPPED])
    return min(float(low), 0.0), max(float(high), 0.0)  # zero is exact: padding and a still state are zeros


class Dynamic(Network):
    """A network of integer products, each with the scale of what goes into it at that step."""

    def lstm(self, number: int, layer: nn.LSTM, features: str, hidden: str, cell: str) -> tuple[str, str, str]:
        """As of `Network`."""
        return self.scan(number, layer, features, hidden, cell)

    def product(self, name: str, rows: np.ndarray, features: str) -> str:
        """As of `Network`."""
        integers = self.node("DynamicQuantizeLinear", features, outputs=3)
        return self.integers(name, rows, integers, f"{integers}.1", f"{integers}.2")

    def integers(self, name: str, rows: np.ndarray, features: str, scale: str, middle: str) -> str:
        """The product of bytes, whose step and zero these are, with the rows' transpose."""
        weights, scales = rounded(rows)
        table = self.weight(name, np.ascontiguousarray(weights.T))
        sums = self.node("MatMulInteger", features, table, middle, self.weight("middle", np.uint8(128)))
        back = self.node("Mul", scale, self.weight(f"{name}.scale", scales.astype(np.float32)))
        return self.node("Mul", self.node("Cast", sums, to=TensorProto.FLOAT), back)


class Static(Dynamic):
    """The same with scales that are known beforehand."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self._ranges = ranges

    def product(self, name: str, rows: np.ndarray, features: str) -> str:
        """As of `Network`."""
        scale, zero = step_and_zero(self._ranges[name])
        step = self.weight(f"{name}.step", np.float32(scale))
        middle = self.weight(f"{name}.zero", np.uint8(zero))
        return self.integers(name, rows, self.node("QuantizeLinear", features, step, middle), step, middle)


def rounded(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (outputs, width) as bytes around 128, and the scale (outputs,) of each row."""
    scales = np.maximum(np.abs(rows).max(1), 1e-8) / 127
    return (np.rint(rows / scales[:, None]) + 128).astype(np.uint8), scales


def step_and_zero(held: tuple[float, float]) -> tuple[float, int]:
    """Scale of the bytes, and which of them stands for zero."""
    scale = max(held[1] - held[0], 1e-6) / 255
    return scale, round(-held[0] / scale)
