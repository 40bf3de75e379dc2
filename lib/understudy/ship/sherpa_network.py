"""A shipped network as sherpa-onnx's streaming `zipformer2_ctc` model: log-mels of ±1 samples in, scores out.

The nodes of a network.onnx stay as they are. Normaliser and stacking are put before them, priors, scale and delay
after them; what the run-time keeps between pieces is in states whose shapes sherpa-onnx takes from the metadata, and
which begin as zeros.

Source: sherpa-onnx, csrc/online-zipformer2-ctc-model.cc, for the order and the shapes of inputs and outputs.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from understudy.device.network import PIECE
from understudy.device.normalise import OnlineMean
from understudy.ship.export import Network

LOUDER = 2 * math.log(32768)
"""difference of log-mels of samples within ±32768 from those of samples within ±1"""

_UNUSED = ("attention", "value", "embedding")
"""states of sherpa-onnx's model that are not used here"""


@dataclass(frozen=True)
class Scoring:
    """How logits become scores."""

    scale: float
    """factor of the logits, after priors are subtracted"""
    prior_scale: float
    columns: np.ndarray
    """(columns,) senone of each column of the scores"""


def as_sherpa(network: onnx.ModelProto, described: dict[str, str], scoring: Scoring) -> onnx.ModelProto:
    """Return the network with normaliser and stacking before it, and scoring after it.

    Args:
        network: one of `export`, in any precision.
        described: its metadata.
    """
    around = _Around(described)
    around.hear()
    before, around.nodes = around.nodes, []
    around.tell(scoring)
    given = {weight.name for weight in network.graph.initializer}
    weights = [numpy_helper.from_array(v, name) for name, v in around.weights.items() if name not in given]
    graph = helper.make_graph(
        [*before, *network.graph.node, *around.nodes], "student", around.inputs(), around.outputs(len(scoring.columns)),
        [*network.graph.initializer, *weights],
    )  # fmt: skip
    whole = helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version)
    helper.set_model_props(whole, around.metadata())
    onnx.checker.check_model(whole)
    return whole


class _Around(Network):
    """The nodes before a network and after it."""

    def __init__(self, described: dict[str, str]) -> None:
        super().__init__()
        how: dict[str, Any] = json.loads(described["features"])
        self._mels, self._stack = int(how["mels"]), int(how["stack"])
        self._layers, self._delay = int(described["layers"]), int(described["delay"])
        self._hidden, self._cells = int(described["outputs"]), int(described["cells"])
        online = json.loads(described.get("online_mean", "null"))
        self._online = online and OnlineMean(**online)
        self._mean, self._std, self._priors = (
            np.array(json.loads(described[key]), np.float32) for key in ("mean", "std", "log_priors")
        )
        self._frames = self._stack * PIECE
        # Two states of (mels, kept): the past frames that count, or the sum of all as two numbers.
        self._kept = max(1, -(-self._online.window // 2)) if self._online else 1
        self._tree = described["tree"]

    def node(self, kind: str, *inputs: str, outputs: int = 1, name: str | None = None, **attributes: Any) -> str:
        """See `Network`; the names of these nodes differ from those of the network's own."""
        name = name or f"around.{kind}.{self._count + 1}"
        return super().node(kind, *inputs, outputs=outputs, name=name, **attributes)

    def constant(self, values: Any, kind: type = np.float64) -> str:
        """Add a weight with a name of its own."""
        return self.weight(f"around.{len(self.weights)}", np.asarray(values, kind))

    def hear(self) -> None:
        """Add what makes `features` (stacked frames, inputs) and the normaliser's states of `x` (1, frames, mels)."""
        logmel = self.node("Add", self.node("Squeeze", "x", self.axes(0)), self.constant(LOUDER, np.float32))
        if self._online is None:
            ready = self._fixed(logmel)
        else:
            logmel = self.node("Max", logmel, self.constant(self._online.floor, np.float32))
            ready = self._running(self.node("Transpose", logmel, perm=[1, 0]), self._online)
        shape = self.constant([PIECE, self._stack * self._mels], np.int64)
        self.node("Reshape", ready, shape, name="features")

    def _fixed(self, logmel: str) -> str:
        for side in ("past", "recent"):
            self.node("Identity", side, name=f"{side}_after")
        mean, std = (self.constant(values, np.float32) for values in (self._mean, self._std))
        return self.node("Div", self.node("Sub", logmel, mean), std)

    def _running(self, logmel: str, online: OnlineMean) -> str:
        """Add normalisation as in `device.normalise`, in double precision: (mels, frames) to (frames, mels)."""
        within = self._within(logmel, online.window) if online.window else self._since_the_beginning(logmel)
        heard = self.node("Mul", "heard", self.constant(self._stack, np.int64))
        counted = self.node("Add", heard, self.constant(1 + np.arange(self._frames), np.int64))
        if online.window:
            counted = self.node("Min", counted, self.constant(online.window, np.int64))
        prior = self.constant(online.prior * self._mean.astype(np.float64)[:, None])
        number = self.node("Add", self.double(counted), self.constant(online.prior))
        mean = self.node("Div", self.node("Add", within, prior), number)
        std = self.constant(self._std[:, None])
        ready = self.node("Div", self.node("Sub", self.double(logmel), mean), std)
        return self.node("Transpose", self.node("Cast", ready, to=TensorProto.FLOAT), perm=[1, 0])

    def _within(self, logmel: str, window: int) -> str:
        """Add the sum of the last `window` frames at each; frames before the first are zeros, as the states begin."""
        past = [self.node("Squeeze", side, self.axes(0)) for side in ("past", "recent")]
        every, kept = self.node("Concat", *past, logmel, axis=1), 2 * self._kept
        sums = self.node("CumSum", self.double(every), self.constant(1, np.int64))
        for side, begin in (("past", self._frames), ("recent", self._frames + self._kept)):
            part = self.slice(every, begin, begin + self._kept)
            self.node("Unsqueeze", part, self.axes(0), name=f"{side}_after")
        ends, begins = (self.slice(sums, begin, begin + self._frames) for begin in (kept, kept - window))
        return self.node("Sub", ends, begins)

    def _since_the_beginning(self, logmel: str) -> str:
        """Add the sum of all frames up to each; the state keeps it as a float and the rounding error of that."""
        before = [self.double(self.node("Squeeze", side, self.axes(0))) for side in ("past", "recent")]
        sums = self.node("CumSum", self.double(logmel), self.constant(1, np.int64))
        sums = self.node("Add", sums, self.node("Add", *before))
        last = self.slice(sums, self._frames - 1, self._frames)
        most = self.node("Cast", last, to=TensorProto.FLOAT)
        rest = self.node("Cast", self.node("Sub", last, self.double(most)), to=TensorProto.FLOAT)
        for side, part in (("past", most), ("recent", rest)):
            self.node("Unsqueeze", part, self.axes(0), name=f"{side}_after")
        return sums

    def tell(self, scoring: Scoring) -> None:
        """Add what makes `scores` (1, frames in step with features, columns) of `logits` (stacked frames, senones)."""
        offset = self.constant(scoring.prior_scale * self._priors, np.float32)
        scores = self.node("Mul", self.node("Sub", "logits", offset), self.constant(scoring.scale, np.float32))
        late = self.node("Sub", self.constant([self._delay], np.int64), "heard")
        early = self.node("Clip", late, self.constant(0, np.int64), self.constant(PIECE, np.int64))
        scores = self.node("Slice", scores, early, self.constant([PIECE], np.int64), self.axes(0))
        if not np.array_equal(scoring.columns, np.arange(len(self._priors))):
            scores = self.node("Gather", scores, self.constant(scoring.columns, np.int64), axis=1)
        self.node("Unsqueeze", scores, self.axes(0), name="scores")
        self.node("Add", "heard", self.constant([PIECE], np.int64), name="heard_after")
        for name in _UNUSED:
            self.node("Identity", name, name=f"{name}_after")

    def double(self, numbers: str) -> str:
        """Add a cast to double precision."""
        return self.node("Cast", numbers, to=TensorProto.DOUBLE)

    def slice(self, of: str, begin: int, end: int) -> str:
        """Add the columns of a matrix from `begin` to before `end`."""
        return self.node("Slice", of, *(self.constant([n], np.int64) for n in (begin, end)), self.axes(1))

    def inputs(self) -> list[onnx.ValueInfoProto]:
        """Return the inputs in sherpa-onnx's order."""
        heard = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, self._frames, self._mels])
        return [heard, *self._states("")]

    def outputs(self, columns: int) -> list[onnx.ValueInfoProto]:
        """Return the outputs in sherpa-onnx's order."""
        scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, "frames", columns])
        return [scores, *self._states("_after")]

    def _states(self, after: str) -> list[onnx.ValueInfoProto]:
        mels, layers = self._mels, self._layers
        shapes = {
            "hidden": [layers, 1, self._hidden], "attention": [1, 1, layers, 3 * mels // 4],
            "cell": [layers, 1, self._cells], "value": [layers, 1, self._cells], "past": [1, mels, self._kept],
            "recent": [1, mels, self._kept], "embedding": [1, 128, 3, 19],
        }  # fmt: skip
        floats = [helper.make_tensor_value_info(n + after, TensorProto.FLOAT, shape) for n, shape in shapes.items()]
        return [*floats, helper.make_tensor_value_info(f"heard{after}", TensorProto.INT64, [1])]

    def metadata(self) -> dict[str, str]:
        """Return the metadata from which sherpa-onnx makes its states."""
        values: dict[str, Any] = {
            "encoder_dims": self._mels, "query_head_dims": self._hidden, "value_head_dims": self._cells, "num_heads": 1,
            "num_encoder_layers": 1, "cnn_module_kernels": 2 * self._kept, "left_context_len": self._layers,
            "T": self._frames, "decode_chunk_len": self._frames, "tree": self._tree,
        }  # fmt: skip
        return {key: str(value) for key, value in values.items()}
