"""Whisper in CTranslate2, as in faster-whisper: the encoder's output, several times faster on a CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from understudy.encoders.options import EncoderOptions
from understudy.encoders.weights import SET_UP
from understudy.encoders.whisper import WhisperEncoder
from understudy.step import UserError


class CTranslate2Whisper(WhisperEncoder):
    """A Whisper of CTranslate2: a folder with model.bin."""

    def __init__(self, folder: Path, options: EncoderOptions, precision: str = "float32") -> None:
        """Load the model, on the machine's GPU if it has one.

        Args:
            precision: precision of weights in memory and of matrix products, by CTranslate2's names.

        Raises:
            UserError: CTranslate2 is missing, the folder holds something else, or a layer or head was asked for.
        """
        try:
            import ctranslate2
        except ImportError:
            raise UserError(f"{folder}: a model of CTranslate2, which is not installed. {SET_UP}") from None
        if options.head != "none":
            raise UserError(
                f"--encoder.head {options.head}: {folder} is a Whisper, which has no such head. Leave it out."
            )
        if options.layer is not None:
            raise UserError(
                f"--encoder.layer {options.layer}: CTranslate2 gives the last layer of {folder} alone. Leave it out, "
                "or take the same model's folder of transformers."
            )
        self._view, device = ctranslate2.StorageView, "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        try:
            self.network = ctranslate2.models.Whisper(
                str(folder), device=device, compute_type=precision, intra_threads=torch.get_num_threads()
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{folder}: CTranslate2 cannot load it as a Whisper ({error}). Fetch it again.") from error
        super().__init__(folder, self.network.n_mels, None, options.pad)

    def rows(self, mels: np.ndarray) -> np.ndarray:
        """See `WhisperEncoder`."""
        return np.array(self.network.encode(self.view(mels), to_cpu=True), np.float32)

    def view(self, mels: np.ndarray) -> Any:
        """Convert log-mels (batch, mels, 10 ms frames) float32 to the network's input."""
        return self._view.from_array(mels)
