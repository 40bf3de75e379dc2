"""LSTM acoustic models, uni- and bidirectional."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from understudy.models.acoustic import AcousticModel
from understudy.models.options import ModelOptions
from understudy.step import UserError


class _Layer(nn.ModuleList):
    """A layer: one LSTM forwards, and in a bidirectional model another backwards."""

    def forward(self, hidden: Tensor, turn: Tensor | None) -> Tensor:
        """Return the LSTMs' outputs, concatenated; `turn`: the indices of `_reversal`, if there is one backwards."""
        out = self[0](hidden)[0]
        return out if turn is None else torch.cat([out, _turned(self[1](_turned(hidden, turn))[0], turn)], 2)


class LstmModel(AcousticModel):
    """LSTM layers, each with layer normalisation, and a linear output layer."""

    def __init__(self, options: ModelOptions, inputs: int, senones: int) -> None:
        super().__init__(options, inputs, senones)
        if options.bidirectional and options.delay:
            raise UserError("a bidirectional model hears the whole utterance: its delay must be 0")
        if options.centred and not options.bidirectional:
            raise UserError("--model.centred: the mean of an utterance is known at its end, to bidirectional models")
        if not 0 <= options.projection < options.cells:
            raise UserError(
                f"--model.projection {options.projection}: less than the {options.cells} cells, or 0 for none"
            )
        self.hears_the_end = options.bidirectional
        directions = 2 if options.bidirectional else 1
        outputs = (options.projection or options.cells) * directions
        width = [inputs] + [outputs] * (options.layers - 1)
        # One nn.LSTM per layer and direction: the packed sequences that torch's bidirectional LSTM needs
        # for an exact backward direction are five times slower on a CPU than turning the input around.
        self.layers = nn.ModuleList(
            _Layer(nn.LSTM(w, options.cells, batch_first=True, proj_size=options.projection) for _ in range(directions))
            for w in width
        )
        # Layer normalisation (Ba et al. 2016) reaches the same dev loss in two thirds of the updates (our choice).
        self.norms = nn.ModuleList(nn.LayerNorm(outputs) for _ in width)
        self.output = nn.Linear(outputs, senones)
        for name, weight in self.layers.named_parameters():
            if "bias_ih" in name:  # forget gates open at the start (Jozefowicz et al. 2015)
                nn.init.zeros_(weight)
                weight.data[options.cells : 2 * options.cells] = 1.0
            elif "bias_hh" in name:
                nn.init.zeros_(weight)

    @property
    def lstms(self) -> list[nn.LSTM]:
        """The forward LSTM of each layer; a unidirectional model has no others."""
        return [cast(nn.LSTM, next(layer.children())) for layer in self.layers]

    def hears_around(self, most: int) -> tuple[int, int]:
        """See `AcousticModel`; a unidirectional model looks ahead by its delay only."""
        return most, most if self.options.bidirectional else min(most, self.options.delay)

    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """See `AcousticModel`; outputs are shifted back by the delay."""
        delay = self.options.delay
        if delay:  # the last frame is repeated to flush the delayed outputs
            last = features[torch.arange(len(features)), lengths.to(features.device) - 1]
            features = torch.cat([features, features.new_zeros(len(features), delay, self.inputs)], 1)
            ahead = torch.arange(delay, device=features.device) + lengths.to(features.device)[:, None]
            features = features.scatter(
                1, ahead[..., None].expand(-1, -1, self.inputs), last[:, None].expand(-1, delay, -1)
            )
        if self.options.centred:
            features = features - _mean(features, lengths.to(features.device))
        turn = _reversal(lengths, features.shape[1]).to(features.device) if self.options.bidirectional else None
        hidden = features
        for number, layer in enumerate(self.layers):
            out = self.norms[number](layer(hidden, turn))
            hidden = out if dropout is None else out * dropout[number]
        return self.output(hidden[:, delay:])


def streaming(model: AcousticModel) -> LstmModel:
    """Return the same model, checked and typed as one that can stream.

    Raises:
        UserError: the model is no LSTM, or needs frames seconds ahead.
    """
    if model.hears_the_end or not isinstance(model, LstmModel):
        raise UserError("a teacher that hears what is to come can neither stream nor run on a device. Take a student.")
    return model


def _mean(features: Tensor, lengths: Tensor) -> Tensor:
    """Return (batch, 1, inputs): the mean over the frames of each utterance, without its padding."""
    there = torch.arange(features.shape[1], device=features.device) < lengths[:, None]
    return (features * there[..., None]).sum(1, keepdim=True) / lengths[:, None, None]


def _reversal(lengths: Tensor, frames: int) -> Tensor:
    """Return (batch, frames): the source of each frame of a time-reversed utterance; padding stays in place."""
    t = torch.arange(frames)[None]
    return torch.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)


def _turned(values: Tensor, turn: Tensor) -> Tensor:
    return values.gather(1, turn[..., None].expand(-1, -1, values.shape[2]))
