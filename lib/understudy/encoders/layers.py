"""What one layer of a transformer puts out, without the layers above it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from understudy.step import UserError


class Tap:
    """Keeps what a layer of an encoder puts out; the layers above it are taken away.

    Layers are counted as `hidden_states` of transformers are: 0 is what goes into the first, and the last is what the
    encoder puts out, normalised where it ends so.
    """

    def __init__(self, encoder: nn.Module, layer: int | None, name: str) -> None:
        """Change an encoder that has `layers`.

        Args:
            layer: whose outputs are taken; None: the last's.
            name: of the model, for errors.

        Raises:
            UserError: it has fewer layers.
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
        """The layer's (batch, frames, dims), once the encoder was called, which put out `last`."""
        return last if self._whole or self._kept is None else self._kept
