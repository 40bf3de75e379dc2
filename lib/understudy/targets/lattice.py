"""The rivals of lattice-free soft targets: what a decoder makes of the teacher's scores, in the same store.

Manohar et al., "Semi-supervised training of acoustic models using lattice-free MMI", ICASSP 2018, compare best paths
with lattices; here both give the senones of every frame, so that students learn from either as from soft targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import k2
from torch import Tensor

from understudy.decode.search import Beams, Scales, lattices
from understudy.stage import log
from understudy.targets.store import Targets


@dataclass
class Decoded:
    """Supervision from a search: `soft`, senone posteriors of the lattice; otherwise its best path's senones."""

    graph: k2.Fsa
    scales: Scales
    log_priors: Tensor
    beams: Beams
    k: int
    soft: bool

    def __call__(self, logits: list[Tensor]) -> list[Targets | None]:
        """As of `Supervision`; None where the lattice is empty."""
        order = sorted(range(len(logits)), key=lambda i: -len(logits[i]))
        scores = [self.scales.scores(logits[i].log_softmax(1), self.log_priors) for i in order]
        found = lattices(self.graph, scores, self.beams, "seqframe")
        if not self.soft:
            found = k2.shortest_path(found, use_double_scores=True)
        senones = logits[0].shape[1]
        occupied = _occupancies(found, sum(len(s) + 1 for s in scores), senones)
        targets: list[Targets | None] = [None] * len(logits)
        begin = 0
        for i, one in zip(order, scores, strict=True):
            rows, begin = occupied[begin : begin + len(one)], begin + len(one) + 1
            if bool((rows.sum(1) > 0.5).all()):
                values, kept = rows.topk(min(self.k, senones) if self.soft else 1, dim=1)
                log_z = logits[i].logsumexp(1)
                targets[i] = {"senones": kept.int(), "log_posteriors": values.log(), "log_z": log_z.float()}
        if empty := targets.count(None):
            log.warning("%d utterances have an empty lattice: no targets for them", empty)
        return targets


def _occupancies(found: k2.Fsa, rows: int, senones: int) -> Tensor:
    """(rows, senones): share of the paths that are in a senone at a frame; each utterance has one row more."""
    shares = found.get_arc_post(use_double_scores=True, log_semiring=True).exp()
    emits = found.labels > 0
    where = found.seqframe[emits].long() * senones + found.labels[emits].long() - 1
    return shares.new_zeros(rows * senones).index_add_(0, where, shares[emits]).view(rows, senones).float()
