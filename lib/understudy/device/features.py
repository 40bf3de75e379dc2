"""Features of an utterance that arrives piece by piece, computed by kaldi-native-fbank."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kaldi_native_fbank as knf
import numpy as np

from .errors import DeviceError
from .normalise import NormalisedUtterance, OnlineMean


class FrontEnd:
    """Settings that turn samples into features, shared by all utterances.

    Attributes:
        rate: samples a second.
        width: numbers in a stacked frame.
        shift: seconds between stacked frames.
    """

    KEYS = ("sample_rate", "mels", "low_hz", "high_hz", "window_s", "shift_s", "stack", "scale")

    def __init__(self, described: dict[str, str], path: Path) -> None:
        """Read the settings from a network's metadata.

        Args:
            path: file of the network, for error messages.

        Raises:
            DeviceError: a setting is missing, or is not one that this front end supports.
        """
        try:
            how: dict[str, Any] = json.loads(described["features"])
            self.rate, self.mels, self.stack = (int(how[key]) for key in ("sample_rate", "mels", "stack"))
            self.shift, self._scale = self.stack * how["shift_s"], how["scale"]
            self._mean, self._std = (np.array(json.loads(described[key]), np.float32) for key in ("mean", "std"))
            kind = how["type"]
            self._options = fbank_options(how)
            online = json.loads(described.get("online_mean", "null"))
            self._online = online and OnlineMean(**online)
        except (KeyError, TypeError, ValueError) as error:
            raise DeviceError(
                f"{path}: does not tell what features it hears ({error!r}). Export the network again."
            ) from None
        if kind != "log-mel" or self._mean.shape != (self.mels,) or self._std.shape != (self.mels,):
            raise DeviceError(
                f"{path}: hears {kind} of {self._mean.size} channels, not {self.mels} log-mels. Export it again."
            )
        self.width = self.stack * self.mels
        self.least = self.stack * round(self.rate * how["shift_s"])
        """samples of one stacked frame: fewer make none"""

    def utterance(self) -> UtteranceFeatures:
        """Return the front end of a new utterance."""
        return UtteranceFeatures(self)

    def normalised(self) -> NormalisedUtterance:
        """Return the normalisation of a new utterance's log-mels."""
        return NormalisedUtterance(self._mean, self._std, self._online)


class UtteranceFeatures:
    """Turns an utterance's samples into stacked features, each frame as soon as its window is complete."""

    def __init__(self, front: FrontEnd) -> None:
        self._front = front
        self._fbank, self._normalised = knf.OnlineFbank(front._options), front.normalised()
        self._heard = self._taken = 0
        self._begin: list[np.ndarray] = []  # samples held back until they make a stacked frame

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Take in samples (length,) float32 in ±1; return the new features (stacked frames, width)."""
        before, self._heard = self._heard, self._heard + len(samples)
        if self._heard < self._front.least:
            self._begin.append(samples)
            return self._frames()
        if before < self._front.least:
            samples = np.concatenate([*self._begin, samples])
            self._begin = []
        self._fbank.accept_waveform(self._front.rate, samples * np.float32(self._front._scale))
        return self._frames()

    def finish(self) -> np.ndarray:
        """Return the features at the end; the last one or two 10 ms frames may not make a stacked one."""
        if self._heard >= self._front.least:
            self._fbank.input_finished()
        return self._frames()

    def _frames(self) -> np.ndarray:
        front = self._front
        ready = (self._fbank.num_frames_ready - self._taken) // front.stack * front.stack
        if ready <= 0:
            return np.zeros((0, front.width), np.float32)
        frames = np.stack([self._fbank.get_frame(self._taken + i) for i in range(ready)])
        self._taken += ready
        self._fbank.pop(ready)  # an hour of speech needs no more memory than a second
        return self._normalised(frames).reshape(-1, front.width)


def fbank_options(how: dict[str, Any]) -> knf.FbankOptions:
    """Return the filterbank's options for the features that a network's metadata describe."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.frame_opts.samp_freq = how["sample_rate"]
    options.frame_opts.frame_length_ms, options.frame_opts.frame_shift_ms = (
        1000 * how["window_s"],
        1000 * how["shift_s"],
    )
    options.mel_opts.num_bins = how["mels"]
    options.mel_opts.low_freq, options.mel_opts.high_freq = how["low_hz"], how["high_hz"]
    return options
