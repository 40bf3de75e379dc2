"""What all acoustic models have in common: stacked features in, senone logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from understudy.models.options import ModelOptions


class AcousticModel(nn.Module, ABC):
    """A network that is trained and heard; `understudy.models.build` makes one of the kind that its options name.

    Attributes:
        log_priors: (senones,) log of the senones' shares in the training labels.
        meta: what the model was trained on (hours, updates, teacher), for the results.
        output: the last layer, linear.
        hears_the_end: whether its first frame depends on what comes seconds later, so that it cannot stream.
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
        """Trained parameters."""
        return sum(p.numel() for p in self.parameters())

    def dropout_masks(self, seeds: list[list[int]]) -> list[Tensor]:
        """For `forward` in training: what each layer's outputs are multiplied with, (batch, 1, width) each.

        Args:
            seeds: of each utterance. Its masks depend on nothing else, so that it does not matter which thread or
                rank learns from it, or which utterances are beside it.
        """
        keep, shape = 1 - self.options.dropout, (self.options.layers, 1, self.output.in_features)
        kept = np.stack([np.random.default_rng(seed).random(shape, np.float32) < keep for seed in seeds], 1)
        return list(torch.from_numpy(kept).to(self.output.weight.device) / keep)

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """Logits in step with the input.

        Args:
            features: (batch, frames, inputs).
            lengths: (batch,) frames of each utterance, on the CPU.
            dropout: of `dropout_masks`; None: no dropout.

        Returns:
            (batch, frames, senones); what is past an utterance's length means nothing.
        """

    @abstractmethod
    def hears_around(self, most: int) -> tuple[int, int]:
        """Frames before and after a chunk that its logits should be computed with, `most` of them on either side."""

    def constrain(self, update: int) -> None:
        """Bring the weights back, after this update, to where they have to be; most kinds leave them anywhere."""

    @torch.inference_mode()
    def logits(self, features: list[Tensor]) -> list[Tensor]:
        """Logits of whole utterances: list of (frames, inputs) to list of (frames, senones), where the model is.

        On a GPU its products are of 16 bits, in bfloat16 where the GPU has that.
        """
        self.eval()
        lengths, device = torch.tensor([len(f) for f in features]), self.output.weight.device
        with torch.autocast("cuda", _half(), enabled=device.type == "cuda"):
            out = self(pad_sequence(features, batch_first=True).to(device), lengths).float()
        return [out[i, :n] for i, n in enumerate(lengths.tolist())]

    def log_posteriors(self, features: list[Tensor]) -> list[Tensor]:
        """Log-posteriors of whole utterances: list of (frames, inputs) to list of (frames, senones)."""
        return [z.log_softmax(1) for z in self.logits(features)]


def log_shares(counts: Tensor) -> Tensor:
    """(senones,) float32 log share of each senone, by how many frames have it as their label, (senones,) float64; one
    frame is added to each, so that none is −∞."""
    return ((counts + 1) / (counts + 1).sum()).log().float()


def _half() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float16
