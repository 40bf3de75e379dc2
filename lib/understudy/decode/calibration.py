"""Calibration of word confidences: a map to the probability that the word is right, learnt on held-out speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.device.word_confidence import Calibration, logit

_STEPS = 50
FEWEST = 10
"""right words, and wrong words, that a calibration needs"""


def fit(shares: Sequence[float], right: Sequence[bool]) -> Calibration | None:
    """Fit the calibration with the least cross-entropy by Newton's method, to targets smoothed as in Platt scaling.

    Args:
        shares: the confidence of each word, from `understudy.device.word_confidence.shares`.
        right: whether each of these words was said.

    Returns:
        The calibration; None where too few words are right or wrong, or where words of higher shares are not right
        more often.
    """
    truth = np.array(right, bool)
    count = int(truth.sum())
    if min(count, len(truth) - count) < FEWEST:
        return None
    wanted = np.where(truth, (count + 1) / (count + 2), 1 / (len(truth) - count + 2))
    inputs = np.stack([np.array([logit(one) for one in shares]), np.ones(len(truth))], 1)
    weights = np.array([0.5, 0.0])
    for _ in range(_STEPS):
        found = 1 / (1 + np.exp(-inputs @ weights))
        curvature = (inputs * (found * (1 - found))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, inputs.T @ (found - wanted))
        weights -= step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))  # far steps overshoot
    slope, offset = weights.tolist()
    return Calibration(slope, offset) if slope > 0 else None


def held_out(
    shares: Sequence[float], right: Sequence[bool], groups: Sequence[str], parts: int = 5
) -> list[float] | None:
    """Cross-validate the calibration: each word's probability is learnt from words of other parts.

    Args:
        shares: see `fit`.
        right: see `fit`.
        groups: the group of each word, e.g. its speaker; words of one group lie in the same part.
        parts: number of parts.

    Returns:
        A probability for each word; None where the words outside some part are not enough to fit a calibration.
    """
    numbers = {group: n % parts for n, group in enumerate(dict.fromkeys(groups))}
    part = np.array([numbers[group] for group in groups])
    found = np.zeros(len(part))
    for one in set(numbers.values()):
        kept = np.flatnonzero(part != one).tolist()
        learnt = fit([shares[i] for i in kept], [right[i] for i in kept])
        if learnt is None:
            return None
        found[part == one] = [learnt(shares[i]) for i in np.flatnonzero(part == one).tolist()]
    return found.tolist()
