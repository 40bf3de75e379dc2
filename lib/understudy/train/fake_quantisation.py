"""Learning with the numbers of a device: weights and inputs of layers in 8 bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from understudy.models import AcousticModel


class FakeQuantisation:
    """A model that computes with rounded numbers: those of the int8-dynamic networks of `understudy.ship.quantise`.

    Gradients pass straight through the rounding (Bengio, Léonard and Courville 2013): those of the rounded weights
    change the exact ones. An LSTM's own state (and what is projected to be it) is not rounded here; it lies within ±1
    and loses least.
    """

    def __init__(self, model: AcousticModel) -> None:
        """From now on the inputs of all layers are rounded; weights are within `weights`."""
        self._matrices = [p for p in model.parameters() if p.dim() == 2]
        for module in model.modules():
            if isinstance(module, nn.LSTM | nn.Linear):
                module.register_forward_pre_hook(_quantised_input)

    @contextmanager
    def weights(self) -> Iterator[None]:
        """Within it the model's matrices are rounded; then they are exact again."""
        exact = [matrix.detach().clone() for matrix in self._matrices]
        with torch.no_grad():
            for matrix in self._matrices:
                matrix.copy_(quantised_rows(matrix))
        try:
            yield
        finally:
            with torch.no_grad():
                for matrix, values in zip(self._matrices, exact, strict=True):
                    matrix.copy_(values)


def quantised_rows(matrix: Tensor) -> Tensor:
    """(outputs, inputs) to the nearest of 255 steps, one scale for each row."""
    scale = matrix.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127
    return (matrix / scale).round() * scale


def quantised_values(values: Tensor) -> Tensor:
    """To the nearest of 256 steps from the lowest to the highest, zero among them; the gradient is that of `values`."""
    with torch.no_grad():
        low, high = values.min().clamp_max(0.0), values.max().clamp_min(0.0)
        scale = ((high - low) / 255).clamp_min(1e-8)
        zero = (-low / scale).round()
        steps = ((values / scale).round() + zero).clamp(0, 255) - zero
    return values + (steps * scale - values).detach()


def _quantised_input(_module: nn.Module, inputs: tuple) -> tuple:
    return quantised_values(inputs[0]), *inputs[1:]
