"""A map from classes of a foreign inventory (letters, word pieces, phones) to senones, counted on labelled speech.

p(s | x) = Σ_c p(c | x) · p(s | c), where p(s | c) is the share of the senone s among the labels of all frames, weighted
by the foreign model's posterior of the class c. Nothing is trained. A network trained on the same posteriors (`tdnnf`)
uses neighbouring frames too, which matters for CTC, whose classes show in one frame of many.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from understudy.models.acoustic import AcousticModel, log_shares
from understudy.models.options import ModelOptions

_LEAST = 1e-12  # floor of a probability, before its logarithm


class CooccurrenceModel(AcousticModel):
    """A table p(senone | class); its features are log-probabilities of classes, normalised as all features are."""

    hears_the_end = False
    mean: Tensor
    std: Tensor

    def __init__(self, options: ModelOptions, inputs: int, senones: int) -> None:
        super().__init__(options, inputs, senones)
        self.output = nn.Linear(inputs, senones, bias=False)
        """p(s | c), (senones, classes)"""
        for name, value in (("mean", 0.0), ("std", 1.0)):  # of the features before normalisation
            self.register_buffer(name, torch.full((inputs,), value))

    def hears_around(self, most: int) -> tuple[int, int]:
        """See `AcousticModel`; no other frames are needed."""
        return 0, 0

    def classes(self, features: Tensor) -> Tensor:
        """Return the (…, classes) probabilities that the features (…, inputs) were made of."""
        return (features * self.std + self.mean).softmax(-1)

    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """See `AcousticModel`; logits are log-posteriors."""
        return self.output(self.classes(features)).clamp(min=_LEAST).log()

    @torch.no_grad()
    def count(self, speech: Iterable[tuple[Tensor, Tensor]], smoothing: float) -> int:
        """Estimate table and priors from labelled speech.

        Args:
            speech: features (frames, inputs) and labels (frames,) int64 of each utterance.
            smoothing: frames added to each class, distributed over senones as all labels are.

        Returns:
            The number of frames counted.
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
