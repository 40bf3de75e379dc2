"""The base class of acoustic models: stacked features in, senone logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from understudy.models.options import ModelOptions


class AcousticModel(nn.Module, ABC):
    """A network that can be trained; `understudy.models.build` makes one of the kind that its options name.

    Attributes:
        log_priors: (senones,) log of the senones' shares in the training labels.
        meta: what the model was trained on (hours, updates, teacher), for the results.
        output: the last layer, linear.
        hears_the_end: whether its first output depends on frames seconds later, so that it cannot stream.
    """

    log_priors: Tensor
    output: nn.Linear
    hears_the_end: bool

    def __init__(self, options: ModelOptions, inputs: int, senones: int) -> None:
        super().__init__()
        self.options, self.inputs, self.senones = options, inputs, senones
        self.register_buffer("log_priors", torch.zeros(senones))
        self.meta: dict[str, Any] = {}

    @property
    def num_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.parameters())

    def dropout_masks(self, seeds: list[list[int]]) -> list[Tensor]:
        """Draw dropout masks for `forward`: factors for each layer's outputs, (batch, 1, width) each.

        Args:
            seeds: seed of each utterance. Its masks depend on nothing else, so that it does not matter which thread or
                rank processes it, or which utterances are in its batch.
        """
        keep, shape = 1 - self.options.dropout, (self.options.layers, 1, self.output.in_features)
        kept = np.stack([np.random.default_rng(seed).random(shape, np.float32) < keep for seed in seeds], 1)
        return list(torch.from_numpy(kept).to(self.output.weight.device) / keep)

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """Compute logits, one row for each input frame.

        Args:
            features: (batch, frames, inputs).
            lengths: (batch,) frames of each utterance, on the CPU.
            dropout: masks of `dropout_masks`; None: no dropout.

        Returns:
            (batch, frames, senones); rows past an utterance's length are undefined.
        """

    @abstractmethod
    def hears_around(self, most: int) -> tuple[int, int]:
        """Return how many frames of context a chunk needs before and after it, at most `most` on either side."""

    def constrain(self, update: int) -> None:
        """Restore a constraint on the weights after this update; most kinds of models have none."""

    @torch.inference_mode()
    def logits(self, features: list[Tensor]) -> list[Tensor]:
        """Return logits of whole utterances, on the model's device: (frames, inputs) each to (frames, senones) each.

        On a GPU, matrix products are in half precision, bfloat16 where the GPU supports it.
        """
        self.eval()
        lengths, device = torch.tensor([len(f) for f in features]), self.output.weight.device
        with torch.autocast("cuda", _half(), enabled=device.type == "cuda"):
            out = self(pad_sequence(features, batch_first=True).to(device), lengths).float()
        return [out[i, :n] for i, n in enumerate(lengths.tolist())]

    def log_posteriors(self, features: list[Tensor]) -> list[Tensor]:
        """Return log-posteriors of whole utterances: list of (frames, inputs) to list of (frames, senones)."""
        return [z.log_softmax(1) for z in self.logits(features)]


def log_shares(counts: Tensor) -> Tensor:
    """Return the log share of each senone, (senones,) float32, with one frame added to each, so that none is −∞.

    Args:
        counts: (senones,) float64 numbers of frames labelled with each senone.
    """
    return ((counts + 1) / (counts + 1).sum()).log().float()


def _half() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float16
