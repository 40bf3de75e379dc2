"""The exported acoustic model: features to senone scores, its state carried from piece to piece."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime

from .errors import DeviceError

PIECE = 10
"""Stacked frames (0.3 s) that the network processes at once, from an utterance's beginning on, whatever the pieces that
its audio arrives in: so these do not change a single bit of the scores."""


class Network:
    """A network.onnx that stage 12 wrote.

    Attributes:
        about: its metadata.
        tree: fingerprint of the decision tree.
        width: numbers in a stacked frame of its input.
        senones: how many its output has.
        delay: frames that its output lags behind its input.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load a network.

        Raises:
            DeviceError: the file cannot be read, is no network of stage 12, or is not what its metadata state.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has many kinds, all with the same remedy
            raise DeviceError(f"{path}: cannot be read ({str(error)[:200]}). Export the model again.") from None
        self.about: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        try:
            self.tree = self.about["tree"]
            self.senones, self.delay = int(self.about["senones"]), int(self.about["delay"])
            layers, widths = int(self.about["layers"]), (int(self.about["outputs"]), int(self.about["cells"]))
            self.log_priors = np.array(json.loads(self.about["log_priors"]), np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise DeviceError(f"{path}: no network of stage 12 ({error!r} in its metadata). Export it anew.") from None
        self.width = self._width(path, *([layers, 1, width] for width in widths))
        self.still = tuple(np.zeros((layers, 1, width), np.float32) for width in widths)
        """the recurrent state at an utterance's beginning"""

    def _width(self, path: Path, hidden: list[int], cell: list[int]) -> int:
        """Check the shapes of inputs and outputs against the metadata, and return the width of the features."""
        there = {of.name: of.shape for of in (*self._session.get_inputs(), *self._session.get_outputs())}
        for name, found, told in (
            ("hidden", there.get("hidden"), hidden), ("hidden_after", there.get("hidden_after"), hidden),
            ("cell", there.get("cell"), cell), ("cell_after", there.get("cell_after"), cell),
            ("logits", there.get("logits", [])[1:], [self.senones]),
            ("log_priors", list(self.log_priors.shape), [self.senones]),
        ):  # fmt: skip
            if found != told:
                raise DeviceError(f"{path}: its metadata tells of {name} {told}, it has {found}. Export it anew.")
        features = there.get("features", [])
        if len(features) != 2 or self.delay < 0:
            raise DeviceError(f"{path}: hears features {features}, {self.delay} frames late. Export it anew.")
        return features[1]

    def utterance(self) -> UtteranceState:
        """Return the network's state at the beginning of a new utterance."""
        return UtteranceState(self)

    def run(self, features: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Return logits (frames, senones) and the state after features (frames, width), given the state before them."""
        feeds = {"features": features, "hidden": state[0], "cell": state[1]}
        logits, *after = self._session.run(["logits", "hidden_after", "cell_after"], feeds)
        return logits, tuple(after)


class UtteranceState:
    """Turns an utterance's features into logits in step with them: the network's delay is removed."""

    def __init__(self, network: Network) -> None:
        self._network, self._state, self._late = network, network.still, network.delay
        self._waiting: np.ndarray | None = None
        self._last: np.ndarray | None = None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Take in features (frames, width); return the logits that are known by now, (frames, senones)."""
        if len(features):
            self._last = features[-1:]
            features = features if self._waiting is None else np.concatenate([self._waiting, features])
            whole = len(features) // PIECE * PIECE
            self._waiting, features = features[whole:], features[:whole]
        return self._logits(features)

    def finish(self) -> np.ndarray:
        """Return the logits of the last frames; the last features are repeated to flush the delayed outputs."""
        if self._waiting is None or self._last is None:
            return self._logits(np.zeros((0, 0), np.float32))
        return self._logits(np.concatenate([self._waiting, np.repeat(self._last, self._network.delay, axis=0)]))

    def _logits(self, features: np.ndarray) -> np.ndarray:
        found = [np.zeros((0, self._network.senones), np.float32)]
        for begin in range(0, len(features), PIECE):
            logits, self._state = self._network.run(features[begin : begin + PIECE], self._state)
            early = min(self._late, len(logits))
            self._late -= early
            found.append(logits[early:])
        return np.concatenate(found)
