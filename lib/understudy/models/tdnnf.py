"""Factorised time-delay networks (TDNN-F): each layer's weights are a product with a narrow, semi-orthogonal factor.

Source: Povey et al. 2018, "Semi-orthogonal low-rank matrix factorization for deep neural networks".
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from understudy.models.acoustic import AcousticModel
from understudy.models.options import ModelOptions

BYPASS = 0.66
"""share of a layer's input that is added to its output (Kaldi's bypass-scale)"""
EVERY = 4
"""updates between steps towards semi-orthogonal factors (Povey et al. 2018, section 2.1)"""


class _Layer(nn.Module):
    """A layer: the bottleneck at t reads the input at t − 1 and t; the output at t, the bottleneck at t and t + 1."""

    def __init__(self, width: int, bottleneck: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(2 * width, bottleneck, bias=False)
        self.widen = nn.Linear(2 * bottleneck, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, hidden: Tensor, kept: Tensor | None) -> Tensor:
        """Map (batch, frames, width) to the same shape; input and `kept` (batch, frames, 1) are 0 past an utterance."""
        # Both halves of the factor are applied to the same frame, and the first half's result is shifted in time: it
        # is eight times narrower than the input.
        halves = self.narrow.weight.chunk(2, 1)
        before, now = functional.linear(hidden, torch.cat(halves)).chunk(2, 2)
        narrow = _moved(before, 1) + now
        if kept is not None:  # the last frame of an utterance has no next one
            narrow = narrow * kept
        out = self.norm(functional.relu(self.widen(torch.cat([narrow, _moved(narrow, -1)], 2))))
        return out + BYPASS * hidden


class TdnnfModel(AcousticModel):
    """A TDNN-F at 30 ms frames: each layer adds one frame of past and one of future to the context.

    Kaldi's networks have frames of 10 ms in their first layers; here the input stacks three of them. Layers have layer
    normalisation, like those of `LstmModel`, where Kaldi has batch normalisation (our choice: threads and ranks need
    not exchange statistics of their batches).
    """

    hears_the_end = True

    def __init__(self, options: ModelOptions, inputs: int, senones: int) -> None:
        super().__init__(options, inputs, senones)
        width = options.cells
        self.first = nn.Linear(3 * inputs, width)
        self.first_norm = nn.LayerNorm(width)
        bottleneck = options.bottleneck or max(1, width // 8)
        self.layers = nn.ModuleList(_Layer(width, bottleneck) for _ in range(options.layers))
        self.output = nn.Linear(width, senones)

    @property
    def factors(self) -> list[Tensor]:
        """The semi-orthogonal factor of each layer, (bottleneck, 2 · width)."""
        return [cast(_Layer, layer).narrow.weight for layer in self.layers]

    @property
    def context(self) -> int:
        """Number of frames on either side that the logits of a frame depend on."""
        return 1 + len(self.layers)

    def hears_around(self, most: int) -> tuple[int, int]:
        """See `AcousticModel`; with its whole context, a chunk's logits are those of the utterance."""
        return min(most, self.context), min(most, self.context)

    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """See `AcousticModel`."""
        kept = None
        if int(lengths.min()) < features.shape[1]:
            kept = (torch.arange(features.shape[1])[None] < lengths[:, None])[..., None].to(features)
            features = features * kept
        heard = torch.cat([_moved(features, 1), features, _moved(features, -1)], 2)
        hidden = self.first_norm(functional.relu(self.first(heard)))
        # In the type of `hidden`: in half precision, a float32 factor would turn all that follows into float32.
        kept = None if kept is None else kept.to(hidden.dtype)
        factors = [kept] * len(self.layers)
        if dropout is not None:
            factors = [mask.to(hidden.dtype) if kept is None else kept * mask.to(hidden.dtype) for mask in dropout]
        hidden = hidden if kept is None else hidden * kept
        for layer, factor in zip(self.layers, factors, strict=True):
            hidden = layer(hidden, kept)
            hidden = hidden if factor is None else hidden * factor
        return self.output(hidden)

    @torch.no_grad()
    def constrain(self, update: int) -> None:
        """Move each factor a step towards α times a semi-orthogonal matrix, at every fourth update."""
        if update % EVERY == 0:
            for factor in self.factors:
                factor.sub_(_away(factor))


def _moved(hidden: Tensor, frames: int) -> Tensor:
    """Shift (batch, frames, width) by `frames` in time, later if positive; zeros fill the gap."""
    if frames > 0:
        return functional.pad(hidden[:, :-frames], (0, 0, frames, 0))
    return functional.pad(hidden[:, -frames:], (0, 0, 0, -frames))


def _away(factor: Tensor) -> Tensor:
    """Return the step to subtract from M, towards α times a semi-orthogonal matrix: ν' (M Mᵀ − α² I) M / α².

    Source: Povey et al. 2018, equations 2 to 4. α² = tr(P Pᵀ) / tr(P) with P = M Mᵀ lets the scale float. ν' is 1/2
    (their 4 ν with ν = 1/8), which converges quadratically; it is less while M is far from the goal, as in Kaldi, so
    that the step does not overshoot.
    """
    product = factor @ factor.T
    trace, square = product.trace(), product.square().sum()
    scale = square / trace
    spread = float(square * len(product) / trace.square())  # 1 where it is semi-orthogonal
    rate = 0.5 * (0.5 if spread > 1.02 else 1.0) * (0.5 if spread > 1.1 else 1.0)
    product.diagonal().sub_(scale)
    return rate / scale * product @ factor
