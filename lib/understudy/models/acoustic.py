"""LSTM acoustic models: stacked features in, senone logits out."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from understudy.models.options import ModelOptions
from understudy.step import UserError


class _Layer(nn.ModuleList):
    """An LSTM forwards, and maybe one backwards."""

    def forward(self, hidden: Tensor, turn: Tensor | None) -> Tensor:
        """Their outputs side by side; `turn`: of `_reversal`, for the one backwards."""
        out = self[0](hidden)[0]
        return out if turn is None else torch.cat([out, _turned(self[1](_turned(hidden, turn))[0], turn)], 2)


class AcousticModel(nn.Module):
    """LSTM layers, each normalised, and a linear output.

    Attributes:
        log_priors: (senones,) log of the senones' shares in the training labels.
        meta: what the model was trained on (hours, updates, teacher), for the results.
    """

    log_priors: Tensor

    def __init__(self, options: ModelOptions, inputs: int, senones: int) -> None:
        super().__init__()
        if min(options.layers, options.cells) < 1 or options.delay < 0 or not 0 <= options.dropout < 1:
            raise UserError("--model: layers and cells are at least 1, delay at least 0, dropout from 0 to less than 1")
        if options.bidirectional and options.delay:
            raise UserError("a bidirectional model hears the whole utterance: its delay must be 0")
        if options.centred and not options.bidirectional:
            raise UserError("--model.centred: the mean of an utterance is known at its end, to bidirectional models")
        if not 0 <= options.projection < options.cells:
            raise UserError(
                f"--model.projection {options.projection}: less than the {options.cells} cells, or 0 for none"
            )
        self.options, self.inputs, self.senones = options, inputs, senones
        directions = 2 if options.bidirectional else 1
        outputs = (options.projection or options.cells) * directions
        width = [inputs] + [outputs] * (options.layers - 1)
        # One nn.LSTM per layer and direction: the packed sequences that torch's bidirectional LSTM needs
        # for an exact backward direction are five times slower on a CPU than turning the input around.
        self.layers = nn.ModuleList(
            _Layer(nn.LSTM(w, options.cells, batch_first=True, proj_size=options.projection) for _ in range(directions))
            for w in width
        )
        # Normalised outputs (Ba et al. 2016) reach a dev loss in two thirds of the updates (our choice).
        self.norms = nn.ModuleList(nn.LayerNorm(outputs) for _ in width)
        self.output = nn.Linear(outputs, senones)
        self.register_buffer("log_priors", torch.zeros(senones))
        self.meta: dict[str, Any] = {}
        for name, weight in self.layers.named_parameters():
            if "bias_ih" in name:  # forget gates open at the start (Jozefowicz et al. 2015)
                nn.init.zeros_(weight)
                weight.data[options.cells : 2 * options.cells] = 1.0
            elif "bias_hh" in name:
                nn.init.zeros_(weight)

    @property
    def lstms(self) -> list[nn.LSTM]:
        """Of each layer the one that runs forwards; a unidirectional model has no others."""
        return [cast(nn.LSTM, next(layer.children())) for layer in self.layers]

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
        keep, shape = 1 - self.options.dropout, (len(self.layers), 1, self.output.in_features)
        kept = np.stack([np.random.default_rng(seed).random(shape, np.float32) < keep for seed in seeds], 1)
        return list(torch.from_numpy(kept).to(self.output.weight.device) / keep)

    def forward(self, features: Tensor, lengths: Tensor, dropout: list[Tensor] | None = None) -> Tensor:
        """Logits in step with the input: the delay is taken out again.

        Args:
            features: (batch, frames, inputs).
            lengths: (batch,) frames of each utterance, on the CPU.
            dropout: of `dropout_masks`; None: no dropout.

        Returns:
            (batch, frames, senones); what is past an utterance's length means nothing.
        """
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


def _half() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float16


def _mean(features: Tensor, lengths: Tensor) -> Tensor:
    """(batch, 1, inputs): mean over the frames of each utterance; padding, whatever is in it, does not count."""
    there = torch.arange(features.shape[1], device=features.device) < lengths[:, None]
    return (features * there[..., None]).sum(1, keepdim=True) / lengths[:, None, None]


def _reversal(lengths: Tensor, frames: int) -> Tensor:
    """(batch, frames): where each frame of a time-reversed utterance comes from; padding stays in place."""
    t = torch.arange(frames)[None]
    return torch.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)


def _turned(values: Tensor, turn: Tensor) -> Tensor:
    return values.gather(1, turn[..., None].expand(-1, -1, values.shape[2]))
