"""The rivals of lattice-free soft targets: what a decoder makes of the teacher's scores, in the same store.

Manohar et al., "Semi-supervised training of acoustic models using lattice-free MMI", ICASSP 2018, compare best paths
with lattices; here both give the senones of every frame, so that students learn from either as from soft targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from understudy.decode.options import Beams
from understudy.decode.search import Occupancies, Scales, backend, occupancies
from understudy.lang.graph import DecodingGraph
from understudy.step import log
from understudy.targets.store import Targets


@dataclass
class Decoded:
    """Supervision from a search: `soft`, senone posteriors of the lattice; otherwise its best path's senones."""

    graph: DecodingGraph
    scales: Scales
    log_priors: Tensor
    beams: Beams
    k: int
    soft: bool

    def __post_init__(self) -> None:
        """Raise UserError where nothing can search."""
        backend()

    def __call__(self, logits: list[Tensor]) -> list[Targets | None]:
        """See `Supervision`; None where the lattice is empty."""
        scores = [self.scales.scores(one.log_softmax(1), self.log_priors) for one in logits]
        found = occupancies(self.graph, scores, self.beams, best_path=not self.soft)
        targets: list[Targets | None] = [None] * len(logits)
        for i, rows in enumerate(_rows(found, scores)):
            if bool((rows.sum(1) > 0.5).all()):
                values, kept = rows.topk(min(self.k, rows.shape[1]) if self.soft else 1, dim=1)
                log_z = logits[i].logsumexp(1)
                targets[i] = {"senones": kept.int(), "log_posteriors": values.log(), "log_z": log_z.float()}
        if empty := targets.count(None):
            log.warning("%d utterances have an empty lattice: no targets for them", empty)
        return targets


def _rows(found: Occupancies, scores: list[Tensor]) -> tuple[Tensor, ...]:
    """(frames, senones) of each utterance: share of the paths that are in a senone at a frame."""
    lengths, senones = torch.tensor([len(one) for one in scores]), scores[0].shape[1]
    row = (lengths.cumsum(0) - lengths)[found.utterances] + found.frames
    flat = found.shares.new_zeros(int(lengths.sum()) * senones)
    shares = flat.index_add_(0, row * senones + found.senones, found.shares)
    return shares.view(-1, senones).float().split(lengths.tolist())
