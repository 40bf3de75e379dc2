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
    """−Σ_t Σ_i q_i(t) log p_i(t), q rebuilt from the kept senones (arXiv:1904.01624).

    Args:
        logits: (frames, senones) of the student.
        senones: (frames, k) senones that the teacher kept.
        log_posteriors: (frames, k) their log-posteriors among all senones.
        temperature: both sides are softened by it; the loss is scaled by its square (Hinton et al. 2015).
        spread: the mass of what was not kept goes evenly to the other senones; otherwise the kept ones share it.
    """
    log_p = (logits / temperature).log_softmax(1)
    kept, others = log_p.gather(1, senones), logits.shape[1] - senones.shape[1]
    if spread and others > 0:
        rest = (1 - log_posteriors.exp().sum(1, keepdim=True)).clamp_min(1e-8) / others
        weights = torch.cat([log_posteriors, rest.log()], 1) / temperature
        count = torch.ones_like(weights)
        count[:, -1] = others
        q = (weights + count.log()).softmax(1)  # the last: all others together
        loss = (q[:, :-1] * kept).sum(1) + q[:, -1] * (log_p.sum(1) - kept.sum(1)) / others
    else:
        loss = ((log_posteriors / temperature).softmax(1) * kept).sum(1)
    return -loss.mean() * temperature**2
