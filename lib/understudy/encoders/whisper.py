"""Encoders of Whisper (Radford et al. 2022), whatever library they run on: log-mels of their own, windows of 30 s.

Log-mel frame j is centred at sample 160 j. Of the two convolutions, which are padded, the second has a stride of two
frames: so the centre of the encoder's frame k is at sample 320 k.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from understudy.encoders.encoder import Encoder
from understudy.encoders.weights import CONFIGURATIONS, SET_UP
from understudy.features.frames import SAMPLE_RATE
from understudy.step import UserError, read_json

_MEL_HOP = 160


class WhisperEncoder(Encoder):
    """A Whisper encoder with its log-mel front end."""

    hop = 2 * _MEL_HOP
    middle = 0.0
    shortest = _MEL_HOP

    def __init__(self, folder: Path, mels: int, positions: int | None, pad: bool) -> None:
        """Set up the log-mel front end.

        Args:
            folder: folder of the model; without a preprocessor_config.json, Whisper's usual log-mels are taken.
            mels: number of mel channels that the network takes.
            positions: most frames that the network makes; None: as many as usual for Whisper.
            pad: whether shorter windows are padded with silence.

        Raises:
            UserError: transformers is missing, or the network does not take those log-mels.
        """
        self.mels = _mels(folder, mels)
        self.longest = self.hop * (positions or self.mels.nb_max_frames // 2)
        if self.mels.n_samples != self.longest:
            raise UserError(
                f"{folder}: its log-mels are of {self.mels.n_samples / SAMPLE_RATE:g} s and its network is for "
                f"{self.longest / SAMPLE_RATE:g} s. They are not of one model: fetch it again."
            )
        self.pads, self.padded = pad, self.longest if pad else 0

    def __call__(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        """See `Encoder`."""
        mels = self.log_mels(windows)
        if not self.pads:  # then all windows of a batch have the same length
            mels = mels[:, :, : 2 * min(len(windows[0]) // self.hop + 1, self.longest // self.hop)]
        return list(self.rows(np.ascontiguousarray(mels)))

    def log_mels(self, windows: list[np.ndarray]) -> np.ndarray:
        """Compute log-mels of windows (length,) float32, padded with silence: (windows, mels, 10 ms frames) float32."""
        return self.mels(windows, sampling_rate=SAMPLE_RATE, return_tensors="np").input_features.astype(np.float32)

    @abstractmethod
    def rows(self, mels: np.ndarray) -> np.ndarray:
        """Encode log-mels (batch, mels, 10 ms frames): (batch, half of the frames, dims) float32."""


def _mels(folder: Path, expected: int) -> Any:
    """Return the extractor that makes log-mels from samples."""
    try:
        from transformers import WhisperFeatureExtractor
    except ImportError:
        raise UserError(
            f"{folder}: log-mels of Whisper are made by transformers, which is not installed. {SET_UP}"
        ) from None
    if (path := folder / CONFIGURATIONS[1]).exists():
        about = read_json(path)
        known = {"sampling_rate": SAMPLE_RATE, "hop_length": _MEL_HOP, "feature_size": expected}
        for name, wanted in known.items():
            if (found := about.get(name, wanted)) != wanted:
                raise UserError(f"{path}: {name} must be {wanted}, as our audio and its network are, got {found}")
        return WhisperFeatureExtractor.from_pretrained(str(folder))
    return WhisperFeatureExtractor(feature_size=expected)
