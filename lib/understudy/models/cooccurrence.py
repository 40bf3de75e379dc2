"""What the classes of a foreign inventory (letters, pieces, phones) mean in senones, counted on labelled speech.

p(s | x) = Σ_c p(c | x) · p(s | c), where p(s | c) is how often the senone s is the label of a frame in which the
foreign model believes in the class c. Nothing is trained. A head that learns from the same posteriors (`tdnnf`) hears
their neighbours in time too, which matters where a class is told in one frame of many, as CTC does.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from understudy.models.acoustic import AcousticModel, log_shares
from understudy.models.options import ModelOptions

_LEAST = 1e-12  # of a probability, before its logarithm


class CooccurrenceModel(AcousticModel):
    """Its features are log-probabilities of classes, normalised as all features are."""

    hears_the_end = False
    mean: Tensor
    std: Tensor

    def __init__(self, options: ModelOptions, inputs: int, senones: int) -> None:
        super().__init__(options, inputs, senones)
        self.output = nn.Linear(inputs, senones, bias=False)
        """p(s | c), (senones, classes)"""
        for name, value in (("mean", 0.0), ("std", 1.0)):  # of the features, as they were normalised
            self.register_buffer(name, torch.full((inputs,), value))

    def hears_around(self, most: int) -> tuple[int, int]:
        """See `AcousticModel`: no other frame."""
        return 0, 0

    def classes(self, features: Tensor) -> Tensor:
        """(…, classes) probabilities behind features (…, inputs)."""
        return (features * self.std + self.mean).softmax(-1)

    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """See `AcousticModel`; logits are log-posteriors."""
        return self.output(self.classes(features)).clamp(min=_LEAST).log()

    @torch.no_grad()
    def count(self, speech: Iterable[tuple[Tensor, Tensor]], smoothing: float) -> int:
        """Take the tables from labelled speech.

        Args:
            speech: of each utterance features (frames, inputs) and labels (frames,) int64.
            smoothing: frames of each class besides, spread as all labels are.

        Returns:
            How many frames were counted.
        """
        counts = torch.zeros(self.senones, self.inputs, dtype=torch.float64)
        seen = torch.zeros(self.senones, dtype=torch.float64)
        for features, labels in speech:
            counts.index_add_(0, labels, self.classes(features).double())
            seen += torch.bincount(labels, minlength=self.senones)
        self.log_priors.copy_(log_shares(seen))
        counts += smoothing * self.log_priors.exp()[:, None]
        self.output.weight.copy_(counts / counts.sum(0))
        return int(seen.sum())
