"""Encoders in the library transformers: models on samples (wav2vec 2.0, HuBERT, WavLM and the like), and Whisper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from understudy.encoders.encoder import Encoder
from understudy.encoders.layers import Tap
from understudy.encoders.options import EncoderOptions
from understudy.encoders.weights import CONFIGURATIONS, SET_UP
from understudy.encoders.whisper import WhisperEncoder
from understudy.features.frames import SAMPLE_RATE
from understudy.step import UserError, read_json

_UNUSED = ("masked_spec_embed", "decoder.")
"""weights that an encoder does not need: of the masks in its training, and of the decoder"""
LEAST = -10.0
"""floor of log-probabilities, nats: lower values make no difference, and would be stored at needless precision"""


def load(folder: Path, options: EncoderOptions) -> Encoder:
    """Load a model of transformers, on the machine's GPU if it has one.

    Raises:
        UserError: transformers is missing, the times of such a model's frames are not known, its files do not belong
            together, it lacks the head, or it needs another sampling rate.
    """
    config = read_json(folder / CONFIGURATIONS[0])
    if options.head == "ctc" and "conv_kernel" not in config:
        raise UserError(
            f"--encoder.head ctc: {folder} is a {config['model_type']}, which has no such head. Take a model that "
            "hears samples and was trained to recognise (wav2vec2, hubert, wavlm, … for CTC)."
        )
    if config["model_type"] == "whisper":
        return TorchWhisper(folder, options, config)
    if "conv_kernel" not in config:
        raise UserError(
            f"{folder}: the times of a {config['model_type']}'s frames are not known here. Take a model that hears "
            "samples (wav2vec2, hubert, wavlm, data2vec-audio, …) or a whisper."
        )
    return SampleEncoder(folder, options, config)


class SampleEncoder(Encoder):
    """A transformer on top of convolutions over samples."""

    def __init__(self, folder: Path, options: EncoderOptions, config: dict[str, Any]) -> None:
        """Load the model."""
        heard = _preprocessor(folder)
        self.kernels = list(zip(config["conv_kernel"], config["conv_stride"], strict=True))
        self.hop, self.shortest = 1, 1
        for kernel, stride in self.kernels:
            self.shortest, self.hop = self.shortest + (kernel - 1) * self.hop, self.hop * stride
        self.middle = self.shortest / 2
        self.longest = int(options.window * SAMPLE_RATE)
        # Group normalisation averages over padding too, and these models were trained without a mask.
        self.pads = config.get("feat_extract_norm", "group") == "layer"
        self.normalises = heard["do_normalize"]
        self.folder, self.recognises = folder, options.head == "ctc"
        self.model = _loaded(folder, "AutoModelForCTC" if self.recognises else "AutoModel").to(_device())
        self.tap = None if self.recognises else Tap(self.model.encoder, options.layer, str(folder))

    def prepared(self, samples: np.ndarray) -> np.ndarray:
        """See `Encoder`; normalised to mean 0 and variance 1 over the cut if the model was trained so."""
        if not self.normalises:
            return samples
        return ((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)).astype(np.float32)

    @torch.inference_mode()
    def __call__(self, windows: list[np.ndarray]) -> list[np.ndarray]:
        """See `Encoder`."""
        lengths = torch.tensor([len(one) for one in windows])
        samples = nn.utils.rnn.pad_sequence([torch.from_numpy(one) for one in windows], batch_first=True)
        mask = (torch.arange(samples.shape[1])[None] < lengths[:, None]).long() if self.pads else None
        device = next(self.model.parameters()).device
        out = self.model(samples.to(device), attention_mask=None if mask is None else mask.to(device))
        if self.tap is None:
            rows = out.logits.float().log_softmax(-1).clamp(min=LEAST).cpu().numpy()
        else:
            rows = self.tap.of(out.last_hidden_state).float().cpu().numpy()
        if rows.shape[1] != self._frames(samples.shape[1]):
            raise UserError(
                f"{self.folder}: {samples.shape[1]} samples make {rows.shape[1]} frames, and by its convolutions "
                f"{self._frames(samples.shape[1])}. The times of its frames are not known: take another model."
            )
        return [one[: self._frames(len(window))] for one, window in zip(rows, windows, strict=True)]

    def _frames(self, samples: int) -> int:
        for kernel, stride in self.kernels:
            samples = (samples - kernel) // stride + 1
        return samples


class TorchWhisper(WhisperEncoder):
    """Whisper in torch."""

    def __init__(self, folder: Path, options: EncoderOptions, config: dict[str, Any]) -> None:
        """Load the model."""
        super().__init__(folder, config["num_mel_bins"], config["max_source_positions"], options.pad)
        self.encoder = _loaded(folder).get_encoder().to(_device())
        self.tap, self.positions = Tap(self.encoder, options.layer, str(folder)), self.encoder.embed_positions.weight

    @torch.inference_mode()
    def rows(self, mels: np.ndarray) -> np.ndarray:
        """See `WhisperEncoder`."""
        self._hear(mels.shape[2] // 2)
        out = self.encoder(torch.from_numpy(mels).to(self.positions.device))
        return self.tap.of(out.last_hidden_state).float().cpu().numpy()

    def _hear(self, frames: int) -> None:
        """Set the number of frames that the encoder computes, in place of those of 30 s."""
        if self.encoder.config.max_source_positions != frames:
            self.encoder.config.max_source_positions = frames
            self.encoder.embed_positions = nn.Embedding.from_pretrained(self.positions[:frames])


def _loaded(folder: Path, kind: str = "AutoModel") -> Any:
    """Load a model by a class of transformers, and check that no weight is missing."""
    try:
        import transformers
        from transformers import logging
    except ImportError:
        raise UserError(f"{folder}: transformers is not installed. {SET_UP}") from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, told = getattr(transformers, kind).from_pretrained(
            str(folder), local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # of JSON, weights or configuration: there is no such model in the folder
        raise UserError(f"{folder}: transformers cannot load it ({error}). Fetch the model again.") from error
    if missing := sorted(name for name in told["missing_keys"] if not name.startswith(_UNUSED)):
        raise UserError(f"{folder}: its weights lack {len(missing)}, such as {missing[0]}. Fetch the model again.")
    return model.eval()


def _preprocessor(folder: Path) -> dict[str, Any]:
    """Read how samples are prepared for the model, and check that it takes samples at our rate."""
    about = read_json(path := folder / CONFIGURATIONS[1])
    if (rate := about.get("sampling_rate", SAMPLE_RATE)) != SAMPLE_RATE:
        raise UserError(
            f"{path}: sampling_rate must be {SAMPLE_RATE}, as our audio is, got {rate}. Take another model."
        )
    if "do_normalize" not in about or about.get("feature_size", 1) != 1:
        raise UserError(
            f"{path}: must be of a model that hears samples (do_normalize, feature_size 1). Take another model."
        )
    return about


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
