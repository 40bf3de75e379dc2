"""A shipped network in 8 bits for the page: bytes, their scales, and all else in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from understudy.device.network import PIECE
from understudy.ship.quantise import MIDDLE
from understudy.step import UserError


def as_web(
    network: onnx.ModelProto, described: dict[str, str], path: Path
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return `network` of model.json, and each product's arrays: (outputs × width,) int8 and (outputs,) float32 scales.

    Args:
        network: one of `quantise`, dynamic or static.
        described: its metadata.
        path: its file, for error messages.

    Raises:
        UserError: the network is of another kind.
    """
    weights = {one.name: numpy_helper.to_array(one) for one in network.graph.initializer}
    layers, cells = int(described["layers"]), int(described["cells"])
    projected = int(described["outputs"]) != cells
    names = [f"lstm.{n}.{which}" for n in range(layers) for which in ("wrp" if projected else "wr")] + ["output"]
    _check(weights, names, path)
    arrays, steps = {}, {}
    for name in names:
        arrays[name], arrays[f"{name}.scale"] = _rows(weights[name]), weights[f"{name}.scale"].reshape(-1)
        if f"{name}.step" in weights:
            steps[name] = [float(weights[f"{name}.step"]), int(weights[f"{name}.zero"])]
    for n in range(layers):
        arrays[f"lstm.{n}.b"] = weights[f"lstm.{n}.b"].reshape(-1, 4 * cells).sum(0)  # ONNX's LSTM has two
        arrays |= {f"norm.{n}.{which}": weights[f"norm.{n}.{which}"] for which in ("weight", "bias")}
    arrays["output.b"] = weights["output.b"]
    about = {"delay": int(described["delay"]), "piece": PIECE, "steps": steps}
    about["layers"] = [{"projected": projected, "epsilon": epsilon} for epsilon in _epsilons(network)]
    return about, arrays


def _check(weights: dict[str, np.ndarray], names: list[str], path: Path) -> None:
    if missing := [name for name in names if name not in weights]:
        raise UserError(
            f"{path}: must be LSTM layers and a linear output, got a network without {missing[0]}; ship a student of "
            "steps/train.py --model.kind lstm"
        )
    kinds = {weights[name].dtype.name for name in names}
    if kinds != {"uint8"}:
        raise UserError(
            f"{path}: must have weights in 8 bits, got {', '.join(sorted(kinds))}; give the folder int8-dynamic or "
            "int8-static of steps/ship.py"
        )


def _rows(table: np.ndarray) -> np.ndarray:
    """Return bytes around `MIDDLE`, (…, width, outputs), as (outputs × width,) int8."""
    return (table.reshape(table.shape[-2:]).T.astype(np.int16) - MIDDLE).astype(np.int8).reshape(-1)


def _epsilons(network: onnx.ModelProto) -> list[float]:
    """Return the epsilons of the layers' normalisations, in order."""
    nodes = [node for node in network.graph.node if node.op_type == "LayerNormalization"]
    return [helper.get_node_attr_value(node, "epsilon") for node in nodes]
