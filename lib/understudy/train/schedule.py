"""Scheduled learning: the order of passes over labelled and unlabelled speech, and the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from understudy.step import UserError


@dataclass(frozen=True)
class Pass:
    """One pass over a part of the data: `part` of `parts` of the labelled or the unlabelled set."""

    kind: str
    """`hard` (labelled), `soft` (unlabelled), or a sequence criterion (labelled)"""
    part: int = 0
    parts: int = 1


def passes(epochs: int, sub_epochs: int, labelled_tail: int = 0, labelled_passes: float = 1.0) -> list[Pass]:
    """Make the plan: each epoch over the unlabelled speech is cut into sub-epochs, each followed by labelled speech.

    Args:
        epochs: passes over all speech.
        sub_epochs: parts of the unlabelled set in an epoch; 0: there is no such set (the baseline).
        labelled_tail: labelled passes at the end.
        labelled_passes: passes over the labelled speech after each sub-epoch: 0, 1, 2, …, or a half, a third, …, one
            part after another.

    Raises:
        UserError: `labelled_passes` is neither a whole number nor a unit fraction, or a number is negative.
    """
    if min(epochs, sub_epochs, labelled_tail, labelled_passes) < 0:
        raise UserError("--epochs, --sub-epochs, --labelled-tail and --labelled-passes are at least 0")
    tail = [Pass("hard")] * labelled_tail
    if sub_epochs == 0:
        return [Pass("hard")] * epochs + tail
    whole = round(labelled_passes)
    parts = round(1 / labelled_passes) if 0 < labelled_passes < 1 else 1
    if abs((1 / parts if parts > 1 else whole) - labelled_passes) > 0.01:
        raise UserError(f"{labelled_passes} labelled passes after a sub-epoch: give a whole number, or 1/2, 1/3, …")
    plan = []
    for number in range(epochs * sub_epochs):
        plan.append(Pass("soft", number % sub_epochs, sub_epochs))
        plan += [Pass("hard", number % parts, parts)] * (1 if parts > 1 else whole)
    return plan + tail


def learning_rate(update: int, updates: int, peak: float, warm_up: float, final: float) -> float:
    """Return the learning rate: linear warm-up over a share of the updates, then a cosine down to `final` × peak.

    The shape is our choice.
    """
    start = max(1, int(warm_up * updates))
    if update < start:
        return peak * (update + 1) / start
    along = (update - start) / max(1, updates - start)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * along)))
