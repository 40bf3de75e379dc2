"""Quantisation-aware training: weights and inputs of layers are rounded to 8 bits, as on a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from understudy.models import AcousticModel


class FakeQuantisation:
    """Fake quantisation of a model: it computes as the int8-dynamic networks of `understudy.ship.quantise` do.

    Gradients pass straight through the rounding (Bengio, Léonard and Courville 2013): the gradients of the rounded
    weights update the exact weights. An LSTM's recurrent state (projected or not) is not rounded here: it lies within
    ±1, so that rounding changes it least.
    """

    def __init__(self, model: AcousticModel) -> None:
        """Round the inputs of all layers from now on; weights are rounded only inside `weights()`."""
        self._matrices = [p for p in model.parameters() if p.dim() == 2]
        for module in model.modules():
            if isinstance(module, nn.LSTM | nn.Linear):
                module.register_forward_pre_hook(_quantised_input)

    @contextmanager
    def weights(self) -> Iterator[None]:
        """Return a context in which the model's matrices are rounded; afterwards they are exact again."""
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
    """Round a matrix (outputs, inputs) to the nearest of 255 steps, with one scale for each row."""
    scale = matrix.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127
    return (matrix / scale).round() * scale


def quantised_values(values: Tensor) -> Tensor:
    """Round to the nearest of 256 steps from the lowest value to the highest, zero among them.

    The gradient is that of `values` without rounding.
    """
    with torch.no_grad():
        low, high = values.min().clamp_max(0.0), values.max().clamp_min(0.0)
        scale = ((high - low) / 255).clamp_min(1e-8)
        zero = (-low / scale).round()
        steps = ((values / scale).round() + zero).clamp(0, 255) - zero
    return values + (steps * scale - values).detach()


def _quantised_input(_module: nn.Module, inputs: tuple) -> tuple:
    return quantised_values(inputs[0]), *inputs[1:]
