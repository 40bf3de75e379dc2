"""Frame losses, in nats a frame."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def hard(logits: Tensor, senones: Tensor) -> Tensor:
    """Cross-entropy on senone labels.

    Args:
        logits: (frames, senones).
        senones: (frames,).
    """
    return cross_entropy(logits, senones)


def soft(
    logits: Tensor, senones: Tensor, log_posteriors: Tensor, temperature: float = 1.0, spread: bool = False
) -> Tensor:
    """Cross-entropy on soft targets, the mean over t of −Σ_i q_i(t) log p_i(t).

    q is rebuilt from the teacher's kept senones (arXiv:1904.01624).

    Args:
        logits: (frames, senones) of the student.
        senones: (frames, k) senones that the teacher kept.
        log_posteriors: (frames, k) their log-posteriors among all senones; −∞ where fewer than k were kept.
        temperature: softens both distributions; the loss is scaled by its square (Hinton et al. 2015).
        spread: whether the mass of the senones that were not kept is spread evenly over them; otherwise the kept ones
            are renormalised.
    """
    log_p = (logits / temperature).log_softmax(1)
    there = log_posteriors > -torch.inf
    kept, others = log_p.gather(1, senones), logits.shape[1] - there.sum(1, keepdim=True)
    if spread:
        rest = (1 - log_posteriors.exp().sum(1, keepdim=True)).clamp_min(1e-8) / others.clamp_min(1)
        rest = torch.cat([log_posteriors, rest.log()], 1) / temperature
        rest[:, -1:] += others.log()  # the last column: all other senones together; its weight is 0 if there are none
        q = rest.softmax(1)
        left = (log_p.sum(1) - (kept * there).sum(1)) / others.clamp_min(1)[:, 0]
        loss = (q[:, :-1] * kept).sum(1) + q[:, -1] * left
    else:
        loss = ((log_posteriors / temperature).softmax(1) * kept).sum(1)
    return -loss.mean() * temperature**2
