"""Networks with 8-bit weights and activations, whose integers are the same on every processor.

Weights have one scale for each output. Activations get theirs from their range at each step (dynamic), or from their
range in unlabelled speech (static). Both are unsigned bytes, the weights around 128, since onnxruntime multiplies
these exactly everywhere: its kernels widen them to 16 bits and add pairs in 32 (SSE2, AVX2, AVX-512), or add in 32 at
once (NEON, with dot products or without, and AVX-VNNI-INT8). Signed weights would not be exact: on x86 without VNNI,
the sum of two of their products saturates at 16 bits, 2 x 255 x 127 > 32767, unless they keep to 7 bits. 32 bits are
enough for 33 000 inputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor, nn

from understudy.features import Normaliser
from understudy.models import AcousticModel, LstmModel, streaming
from understudy.ship.export import Network, export, gates_of_onnx
from understudy.ship.options import Precision
from understudy.step import UserError

MIDDLE = 128
"""byte of a weight that is zero"""

_CLIPPED = 1e-4  # share of the activations outside the range, on each side (our choice)
_SAMPLES = 20_000  # values kept of each utterance and tensor


def write_network(
    precision: Precision, model: AcousticModel, normaliser: Normaliser, tree: str, speech: Iterable[Tensor], path: Path
) -> None:
    """Write a network.onnx of a precision.

    Args:
        tree: fingerprint of the phonetic decision tree.
        speech: utterances (frames, inputs), from which static scales are taken.
    """
    network = {
        "float32": Network,
        "int8-dynamic": Dynamic,
        "int8-static": lambda: Static(calibrate(streaming(model), speech)),
    }
    export(model, normaliser, tree, path, network[precision]())


Ranges = dict[str, tuple[float, float]]
"""lowest and highest value of the input of each product, without outliers"""


@torch.no_grad()
def calibrate(model: LstmModel, utterances: Iterable[Tensor]) -> Ranges:
    """Return the ranges of the activations of a model over some utterances (frames, inputs).

    Raises:
        UserError: there are no utterances.
    """
    held: dict[str, list[np.ndarray]] = {}
    rng = np.random.default_rng(0)

    def keep(name: str, values: Tensor) -> None:
        flat = values.numpy().ravel()
        held.setdefault(name, []).append(flat if len(flat) <= _SAMPLES else rng.choice(flat, _SAMPLES, replace=False))

    for features in utterances:
        out = features[None]
        for number, (layer, norm) in enumerate(zip(model.lstms, model.norms, strict=True)):
            keep(f"lstm.{number}.w", out)
            out = layer(out)[0]
            keep(f"lstm.{number}.r", out)
            out = norm(out)
        keep("output", out)
    if not held:
        raise UserError("nothing to calibrate on: give a manifest of unlabelled speech")
    # The input of a projection is the product of a sigmoid and a hyperbolic tangent.
    projected = {f"lstm.{number}.p": (-1.0, 1.0) for number in range(len(model.layers))}
    return projected | {name: _range(np.concatenate(values)) for name, values in held.items()}


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [_CLIPPED, 1 - _CLIPPED])
    return min(float(low), 0.0), max(float(high), 0.0)  # zero is exact: padding and a still state are zeros


class Bytes(Network):
    """A network of integer products; its subclasses decide how activations get their scale."""

    def lstm(self, number: int, layer: nn.LSTM, features: str, hidden: str, cell: str) -> tuple[str, str, str]:
        """See `Network`."""
        return self.scan(number, layer, features, hidden, cell)

    def integers(self, name: str, rows: np.ndarray, features: str, scale: str, zero: str) -> str:
        """Add the product of bytes `features`, of this scale and zero, and the rows' transpose."""
        table, scales = self.bytes(name, rows)
        sums = self.node("MatMulInteger", features, table, zero, self.weight("middle", np.uint8(MIDDLE)))
        return self.node("Mul", self.node("Cast", sums, to=TensorProto.FLOAT), self.node("Mul", scale, scales))

    def bytes(self, name: str, rows: np.ndarray, directions: tuple[int, ...] = ()) -> tuple[str, str]:
        """Add rows (outputs, width): weights (directions …, width, outputs), their scales (directions …, outputs)."""
        weights, scales = rounded(rows)
        table = np.ascontiguousarray(weights.T).reshape(*directions, *weights.T.shape)
        scales = scales.astype(np.float32).reshape(*directions, -1)
        return self.weight(name, table), self.weight(f"{name}.scale", scales)


class Dynamic(Bytes):
    """A network whose products take the scale of their inputs at each step."""

    def lstm(self, number: int, layer: nn.LSTM, features: str, hidden: str, cell: str) -> tuple[str, str, str]:
        """See `Network`.

        A layer without projection is onnxruntime's own operator, which does what `scan` does (as a test shows) in two
        fifths of the time: a Scan costs 10 us for each frame of a layer, whatever is in it.
        """
        if layer.proj_size:
            return self.scan(number, layer, features, hidden, cell)
        tables, scales = [], []
        middle = self.weight("middles", np.full((1, 4 * layer.hidden_size), MIDDLE, np.uint8))
        for which, values in (("w", "weight_ih_l0"), ("r", "weight_hh_l0")):
            table, scale = self.bytes(f"lstm.{number}.{which}", gates_of_onnx(layer, values), (1,))
            tables.append(table)
            scales += [scale, middle]
        heard = features, hidden, cell
        return self.recurrence("DynamicQuantizeLSTM", number, layer, heard, tables, tuple(scales), "com.microsoft")

    def product(self, name: str, rows: np.ndarray, features: str) -> str:
        """See `Network`."""
        integers = self.node("DynamicQuantizeLinear", features, outputs=3)
        return self.integers(name, rows, integers, f"{integers}.1", f"{integers}.2")


class Static(Bytes):
    """A network whose products take scales that are known beforehand."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self._ranges = ranges

    def product(self, name: str, rows: np.ndarray, features: str) -> str:
        """See `Network`."""
        scale, zero = step_and_zero(self._ranges[name])
        step = self.weight(f"{name}.step", np.float32(scale))
        middle = self.weight(f"{name}.zero", np.uint8(zero))
        return self.integers(name, rows, self.node("QuantizeLinear", features, step, middle), step, middle)


def rounded(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (outputs, width) as bytes around `MIDDLE`, and the scale of each row, (outputs,)."""
    scales = np.maximum(np.abs(rows).max(1), 1e-8) / 127
    return (np.rint(rows / scales[:, None]) + MIDDLE).astype(np.uint8), scales


def step_and_zero(held: tuple[float, float]) -> tuple[float, int]:
    """Return the scale of the bytes for a range, and the byte that stands for zero."""
    scale = max(held[1] - held[0], 1e-6) / 255
    return scale, round(-held[0] / scale)
