"""Soft targets of whole sequences, without a decoder: senone occupancies of the denominator graph.

The forward-backward posteriors that lattice-free MMI (Povey et al. 2016) subtracts: what the teacher believes of a
frame once it knows which phones may follow which. Our choice as supervision, to be held against its frame posteriors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from understudy.align.forward_backward import GraphBatch, log_partition
from understudy.decode.search import Scales
from understudy.lang.state_graph import StateGraph
from understudy.step import log
from understudy.targets.store import Targets


@dataclass
class Occupied:
    """Supervision from the denominator graph."""

    graph: StateGraph
    scales: Scales
    log_priors: Tensor
    k: int

    def __post_init__(self) -> None:
        self._graph = GraphBatch.merged(self.graph)

    def __call__(self, logits: list[Tensor]) -> list[Targets | None]:
        """See `Supervision`; None where no sequence of phones fits the frames."""
        scores = [self.scales.scores(one, self.log_priors) for one in logits]
        batch = pad_sequence(scores, batch_first=True).detach().requires_grad_()
        lengths = torch.tensor([len(one) for one in scores])
        with torch.enable_grad():
            total = log_partition(batch, lengths, self._graph.shared(len(scores)))
            fits = total.isfinite()
            (occupied,) = torch.autograd.grad(total[fits].sum(), batch)
        found = [
            self._targets(one, rows[: len(one)]) if fit else None
            for one, rows, fit in zip(logits, occupied, fits.tolist(), strict=True)
        ]
        if lost := found.count(None):
            log.warning("%d utterances have no path in the denominator graph: no targets for them", lost)
        return found

    def _targets(self, logits: Tensor, occupied: Tensor) -> Targets:
        values, senones = occupied.clamp(0, 1).topk(min(self.k, occupied.shape[1]), dim=1)
        log_z = logits.logsumexp(1)
        return {"senones": senones.int(), "log_posteriors": values.log().float(), "log_z": log_z.float()}
