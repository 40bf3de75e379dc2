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


def soft(logits: Tensor, senones: Tensor, log_posteriors: Tensor, temperature: float = 1.0) -> Tensor:
    """−Σ_t Σ_i q_i(t) log p_i(t) / T, q rebuilt over the kept senones (arXiv:1904.01624).

    Args:
        logits: (frames, senones) of the student.
        senones: (frames, k) senones that the teacher kept.
        log_posteriors: (frames, k) their logits up to a constant of the frame.
        temperature: both sides are softened by it; the loss is scaled by its square (Hinton et al. 2015).
    """
    q = (log_posteriors / temperature).softmax(1)
    log_p = (logits / temperature).log_softmax(1).gather(1, senones)
    return -(q * log_p).sum(1).mean() * temperature**2


def mixed(
    logits: Tensor, labels: Tensor, senones: Tensor, log_posteriors: Tensor, share: float, temperature: float = 1.0
) -> Tensor:
    """(1 − λ) · hard + λ · soft on labelled speech, λ = `share`."""
    loss = torch.zeros((), device=logits.device)
    if share < 1:
        loss = loss + (1 - share) * hard(logits, labels)
    if share > 0:
        loss = loss + share * soft(logits, senones, log_posteriors, temperature)
    return loss
