"""Scheduled learning: the order of passes over labelled and unlabelled speech, and the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Pass:
    """One pass over a part of the data: `part` of `parts` of the labelled or the unlabelled set."""

    kind: str
    """`hard` (labelled) or `soft` (unlabelled)"""
    part: int = 0
    parts: int = 1


def passes(epochs: int, sub_epochs: int, labelled_tail: int = 0) -> list[Pass]:
    """The plan: each epoch over the unlabelled speech is cut into sub-epochs, each followed by a labelled pass.

    Args:
        epochs: passes over all speech.
        sub_epochs: parts of the unlabelled set in an epoch; 0 means that there is none (the baseline).
        labelled_tail: labelled passes at the end.
    """
    if sub_epochs == 0:
        return [Pass("hard")] * (epochs + labelled_tail)
    plan = []
    for _ in range(epochs):
        for part in range(sub_epochs):
            plan += [Pass("soft", part, sub_epochs), Pass("hard")]
    return plan + [Pass("hard")] * labelled_tail


def learning_rate(update: int, updates: int, peak: float, warm_up: float = 0.05, final: float = 0.01) -> float:
    """Linear warm-up over a share of the updates, then a cosine down to `final` × peak (our choice)."""
    start = max(1, int(warm_up * updates))
    if update < start:
        return peak * (update + 1) / start
    along = (update - start) / max(1, updates - start)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * along)))
