"""The output of one layer of a transformer, computed without the layers above it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from understudy.step import UserError


class Tap:
    """A tap on a layer of an encoder: it keeps the layer's output, and removes the layers above.

    Layers are numbered like the `hidden_states` of transformers: 0 is the input of the first layer, and the last is the
    encoder's output, after its final normalisation if it has one.
    """

    def __init__(self, encoder: nn.Module, layer: int | None, name: str) -> None:
        """Change an encoder that has `layers`.

        Args:
            layer: number of the layer; None: the last.
            name: name of the model, for messages.

        Raises:
            UserError: the encoder has fewer layers, or its layers are no list.
        """
        layers = encoder.layers
        if not isinstance(layers, nn.ModuleList):
            raise UserError(f"{name}: its encoder's layers are no list. Take a model of another architecture.")
        if layer is not None and layer > len(layers):
            raise UserError(f"--encoder.layer {layer}: {name} has layers 0 to {len(layers)}")
        self._kept: Tensor | None = None
        self._whole = layer is None or layer == len(layers)
        if layer is None or self._whole:
            return
        encoder.layers = layers[: max(layer, 1)]
        if layer == 0:
            layers[0].register_forward_pre_hook(lambda _, given: self._keep(given[0]))
        else:
            layers[layer - 1].register_forward_hook(lambda _, given, out: self._keep(out))

    def _keep(self, out: Any) -> None:
        self._kept = out[0] if isinstance(out, tuple) else out

    def of(self, last: Tensor) -> Tensor:
        """Return the layer's (batch, frames, dims) after a call of the encoder, whose output was `last`."""
        return last if self._whole or self._kept is None else self._kept
