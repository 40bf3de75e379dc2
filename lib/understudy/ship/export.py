"""An acoustic model as an ONNX network whose state goes in and comes out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from understudy.features import FRAME_SHIFT, STACK, Normaliser
from understudy.features.frames import SAMPLE_RATE
from understudy.features.logmel import HIGH_FREQ, LOW_FREQ, NUM_MELS, WINDOW
from understudy.models import AcousticModel, LstmModel, streaming
from understudy.step import atomic_path

OPSET = 17  # the first with LayerNormalization


def metadata(model: LstmModel, normaliser: Normaliser, tree: str) -> dict[str, str]:
    """Return all that a run-time has to know beside the network, as metadata."""
    features = {
        "type": "log-mel", "sample_rate": SAMPLE_RATE, "mels": NUM_MELS, "low_hz": LOW_FREQ, "high_hz": HIGH_FREQ,
        "window_s": WINDOW, "shift_s": FRAME_SHIFT, "stack": STACK, "scale": 32768,
    }  # fmt: skip
    values = {
        "senones": model.senones, "delay": model.options.delay, "layers": model.options.layers,
        "cells": model.options.cells, "outputs": model.output.in_features, "tree": tree,
        "teacher": model.meta.get("teacher"),
        "features": _json(features), "mean": _json(normaliser.mean.tolist()),
        "std": _json(normaliser.std.tolist()), "log_priors": _json(model.log_priors.tolist()),
        "online_mean": _json(normaliser.online and asdict(normaliser.online)),
    }  # fmt: skip
    return {key: str(value) for key, value in values.items()}


def _json(value: Any) -> str:
    """Return a value as JSON; raises ValueError for NaN and infinity, since a run-time needs every number."""
    return json.dumps(value, allow_nan=False)


class Network:
    """An ONNX graph in the making: nodes and weights, with names of their own.

    Subclasses say how a layer is computed; this one in float32.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self._count = 0

    def weight(self, name: str, values: np.ndarray | np.generic | Tensor) -> str:
        """Add weights and return their name."""
        self.weights[name] = values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)
        return name

    def node(self, kind: str, *inputs: str, outputs: int = 1, name: str | None = None, **attributes: Any) -> str:
        """Add a node; returns the name of its first output, `name` or a new one, to which the others add .1, .2, …"""
        self._count += 1
        name = name or f"{kind}.{self._count}"
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return name

    def lstm(self, number: int, layer: nn.LSTM, features: str, hidden: str, cell: str) -> tuple[str, str, str]:
        """Add a layer: (frames, width) and states (1, outputs), (1, cells) to (frames, outputs) and states after."""
        if layer.proj_size:  # ONNX's own LSTM has no projection
            return self.scan(number, layer, features, hidden, cell)
        weights = [
            self.weight(f"lstm.{number}.{name}", gates_of_onnx(layer, values)[None])
            for name, values in (("w", "weight_ih_l0"), ("r", "weight_hh_l0"))
        ]
        return self.recurrence("LSTM", number, layer, (features, hidden, cell), weights)

    def recurrence(
        self, kind: str, number: int, layer: nn.LSTM, heard: tuple[str, str, str], weights: list[str],
        scales: tuple[str, ...] = (), domain: str = "",
    ) -> tuple[str, str, str]:  # fmt: skip
        """Add a layer, see `lstm`, as one node: an LSTM of ONNX, or one that takes the scales of its weights too."""
        values = np.concatenate([gates_of_onnx(layer, "bias_ih_l0"), gates_of_onnx(layer, "bias_hh_l0")])[None]
        bias = self.weight(f"lstm.{number}.b", values)
        batch, first, both = (self.axes(*axes) for axes in ((1,), (0,), (1, 2)))
        features, *states = (
            self.node("Unsqueeze", of, axis) for of, axis in zip(heard, (batch, first, first), strict=True)
        )
        out = self.node(
            kind, features, *weights, bias, "", *states, "", *scales, outputs=3, domain=domain,
            hidden_size=layer.hidden_size,
        )  # fmt: skip
        hears = self.node("Squeeze", out, both)
        return hears, self.node("Squeeze", f"{out}.1", first), self.node("Squeeze", f"{out}.2", first)

    def scan(self, number: int, layer: nn.LSTM, features: str, hidden: str, cell: str) -> tuple[str, str, str]:
        """Add a layer, see `lstm`, as products: the inputs of all frames at once, then the state frame by frame."""
        name = f"lstm.{number}"
        bias = gates_of_onnx(layer, "bias_ih_l0") + gates_of_onnx(layer, "bias_hh_l0")
        product = self.product(f"{name}.w", gates_of_onnx(layer, "weight_ih_l0"), features)
        gates = self.node("Add", product, self.weight(f"{name}.b", bias))
        whole, self.nodes = self.nodes, []
        after = self._step(name, layer)
        body, self.nodes = self.nodes, whole
        outputs, cells = layer.proj_size or layer.hidden_size, layer.hidden_size
        graph = helper.make_graph(
            body, name, [_value("h", [1, outputs]), _value("c", [1, cells]), _value("gates", [4 * cells])],
            [_value(after[0], [1, outputs]), _value(after[1], [1, cells]), _value(after[2], [outputs])],
        )  # fmt: skip
        out = self.node("Scan", hidden, cell, gates, outputs=3, num_scan_inputs=1, body=graph)
        return f"{out}.2", out, f"{out}.1"

    def _step(self, name: str, layer: nn.LSTM) -> tuple[str, str, str]:
        """Add what computes hidden state, cell and output of a frame from the gates' input and the state before."""
        share = self.product(f"{name}.r", gates_of_onnx(layer, "weight_hh_l0"), "h")
        split = self.node("Split", self.node("Add", share, "gates"), outputs=4, axis=1)
        parts = [split, *(f"{split}.{n}" for n in (1, 2, 3))]
        i, o, f, c = (self.node("Tanh" if n == 3 else "Sigmoid", part) for n, part in enumerate(parts))
        cell = self.node("Add", self.node("Mul", f, "c"), self.node("Mul", i, c))
        hidden = self.node("Mul", o, self.node("Tanh", cell))
        if layer.proj_size:
            hidden = self.product(f"{name}.p", layer.get_parameter("weight_hr_l0").detach().numpy(), hidden)
        return hidden, cell, self.node("Squeeze", hidden, self.axes(0))

    def linear(self, name: str, layer: nn.Linear, features: str, output: str) -> str:
        """Add a linear layer, from features (frames, width) to (frames, outputs)."""
        product = self.product(name, layer.weight.detach().numpy(), features)
        return self.node("Add", product, self.weight(f"{name}.b", layer.bias), name=output)

    def product(self, name: str, rows: np.ndarray, features: str) -> str:
        """Add the product of features (frames, width) and the transpose of rows (outputs, width)."""
        return self.node("MatMul", features, self.weight(name, np.ascontiguousarray(rows.T)))

    def axes(self, *numbers: int) -> str:
        """Add a constant list of axes."""
        return self.weight("axes." + ".".join(map(str, numbers)), np.array(numbers, np.int64))

    def build(self, model: LstmModel) -> onnx.ModelProto:
        """Make the network: features (frames, inputs) and both states, (layers, 1, …), to logits and states after."""
        out, states = "features", []
        for number, (layer, norm) in enumerate(zip(model.lstms, model.norms, strict=True)):
            which = self.weight(f"layer.{number}", np.array(number, np.int64))
            before = (self.node("Gather", name, which, axis=0) for name in ("hidden", "cell"))
            out, *after = self.lstm(number, layer, out, *before)
            states.append([self.node("Unsqueeze", state, self.axes(0)) for state in after])
            scale, bias = (self.weight(f"norm.{number}.{n}", getattr(norm, n)) for n in ("weight", "bias"))
            out = self.node("LayerNormalization", out, scale, bias, axis=-1, epsilon=norm.eps)
        self.linear("output", model.output, out, "logits")
        for name, parts in zip(("hidden_after", "cell_after"), zip(*states), strict=True):
            self.node("Concat", *parts, name=name, axis=0)
        layers = model.options.layers
        hidden, cell = ([layers, 1, width] for width in (model.output.in_features, model.options.cells))
        graph = helper.make_graph(
            self.nodes, "student",
            [_value("features", ["frames", model.inputs]), _value("hidden", hidden), _value("cell", cell)],
            [_value("logits", ["frames", model.senones]), _value("hidden_after", hidden), _value("cell_after", cell)],
            [numpy_helper.from_array(np.asarray(v, order="C"), name) for name, v in self.weights.items()],
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=self.opsets(), ir_version=8)

    def opsets(self) -> list[onnx.OperatorSetIdProto]:
        """Return the sets of operators that the nodes need: ONNX's, and those of other domains."""
        others = sorted({node.domain for node in self.nodes if node.domain})
        return [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in others)]


def _value(name: str, shape: list) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def gates_of_onnx(layer: nn.LSTM, name: str) -> np.ndarray:
    """Put torch's gates (input, forget, cell, output) into ONNX's order (input, output, forget, cell), on axis 0.

    Args:
        name: name of the layer's parameter.
    """
    rows = layer.get_parameter(name)
    i, f, c, o = rows.detach().numpy().reshape(4, -1, *rows.shape[1:])
    return np.concatenate([i, o, f, c])


def export(model: AcousticModel, normaliser: Normaliser, tree: str, path: Path, network: Network | None = None) -> None:
    """Write a network.onnx.

    Args:
        tree: fingerprint of the phonetic decision tree.
        network: how its layers are computed; None: in float32.

    Raises:
        UserError: the model cannot stream.
    """
    whole = (network or Network()).build(streaming(model))
    onnx.checker.check_model(whole)
    write(whole, metadata(model, normaliser, tree), path)


def write(whole: onnx.ModelProto, described: dict[str, str], path: Path) -> None:
    """Write a network with its metadata, atomically."""
    helper.set_model_props(whole, described)
    with atomic_path(path) as partial:
        partial.write_bytes(whole.SerializeToString())
