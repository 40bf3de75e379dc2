"""The front end of a shipped network for the page: its window and its filters are Kaldi's own numbers."""

from __future__ import annotations

import json
from typing import Any

import kaldi_native_fbank as knf
import numpy as np

from understudy.device.features import FrontEnd, fbank_options


def as_web(described: dict[str, str], front: FrontEnd) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return `features` of model.json, and arrays: window, mean, deviation, and the non-zero weights of the filters.

    Args:
        described: metadata of a network.onnx.
        front: front end of the same network.
    """
    how = json.loads(described["features"])
    options = fbank_options(how)
    frames = options.frame_opts
    filters = knf.MelBanks(options.mel_opts, frames, 1.0).get_matrix()
    window = np.array(knf.FeatureWindowFunction(frames).window, np.float32)
    about = {
        "rate": front.rate, "mels": front.mels, "stack": front.stack, "scale": how["scale"],
        "shift": round(front.rate * how["shift_s"]), "fft": 2 * (filters.shape[1] - 1),
        "preemphasis": frames.preemph_coeff, "least": float(np.finfo(np.float32).eps),
        "online": json.loads(described.get("online_mean", "null")),
    }  # fmt: skip
    mean, deviation = (np.array(json.loads(described[key]), np.float32) for key in ("mean", "std"))
    return about, {"window": window, "mean": mean, "deviation": deviation, **_sparse(filters)}


def _sparse(filters: np.ndarray) -> dict[str, np.ndarray]:
    """Return each filter's first bin, where its weights begin among all, and all weights, of filters (mels, bins)."""
    heard = filters > 0
    first = heard.argmax(1)
    length = np.where(heard.any(1), heard.shape[1] - heard[:, ::-1].argmax(1) - first, 0)
    begin = np.concatenate([[0], np.cumsum(length)])
    weights = [row[at : at + count] for row, at, count in zip(filters, first, length, strict=True)]
    return {
        "filters.first": first.astype(np.uint16), "filters.begin": begin.astype(np.uint16),
        "filters.weights": np.concatenate(weights).astype(np.float32),
    }  # fmt: skip
