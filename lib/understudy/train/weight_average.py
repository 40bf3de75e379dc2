"""The running average of a model's weights, which is the model that a training keeps."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]


class WeightAverage:
    """An exponential average over updates (Polyak and Juditsky 1992; the decay is our choice).

    Attributes:
        running: the average, by name of the parameter.
        best: the average at the best evaluation on the dev set.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Begin with the weights as they are."""
        self.model, self.decay = model, decay
        self.running = copy_of(dict(model.named_parameters()))
        self.best = copy_of(self.running)

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """Add the weights after an update; the decay is smaller during the first updates."""
        decay = min(self.decay, update / (update + 10))
        for name, weight in self.model.named_parameters():
            self.running[name].lerp_(weight, 1 - decay)

    def restore(self, running: Mapping[str, Tensor], best: Mapping[str, Tensor], device: torch.device) -> None:
        """Restore the averages from a checkpoint."""
        self.running = {name: weight.to(device) for name, weight in running.items()}
        self.best = {name: weight.to(device) for name, weight in best.items()}


def copy_of(weights: Mapping[str, Tensor]) -> Weights:
    """Return a detached copy of the weights."""
    return {name: weight.detach().clone() for name, weight in weights.items()}


@torch.no_grad()
def put_into(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights into a model."""
    for name, weight in model.named_parameters():
        weight.copy_(weights[name])
