"""Streaming: a model computes an utterance piece by piece, with the logits of the whole utterance."""

from __future__ import annotations

import torch
from torch import Tensor

from understudy.models.acoustic import AcousticModel
from understudy.models.lstm import streaming


class ModelStream:
    """The computation of one utterance by a streaming model.

    Raises:
        UserError: the model cannot stream (see `streaming`).
    """

    def __init__(self, model: AcousticModel) -> None:
        self._model = streaming(model).eval()
        self._states: list[tuple[Tensor, Tensor] | None] = [None] * len(self._model.layers)
        self._late = model.options.delay
        self._last: Tensor | None = None

    @torch.no_grad()
    def __call__(self, features: Tensor) -> Tensor:
        """Compute more frames, (frames, inputs). Returns new logits, (frames, senones), the delay behind the input."""
        if not len(features):
            return features.new_zeros(0, self._model.senones)
        self._last, hidden = features[-1:], features[None]
        for number, (layer, norm) in enumerate(zip(self._model.lstms, self._model.norms, strict=True)):
            hidden, self._states[number] = layer(hidden, self._states[number])
            hidden = norm(hidden)
        early = min(self._late, len(features))  # outputs before that of the first frame
        self._late -= early
        return self._model.output(hidden[0, early:])

    def finish(self) -> Tensor:
        """Return the logits of the last frames: delayed outputs are flushed as in `LstmModel.forward`."""
        if self._last is None:
            return torch.zeros(0, self._model.senones)
        return self(self._last.repeat(self._model.options.delay, 1))
