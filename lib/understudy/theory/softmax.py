"""The function classes of `linear` under a softmax: posteriors over a few labels, fitted by cross-entropy.

A model is `p(y|x) ∝ exp θ_y·φ(x)`; θ of the last label is zero. Inputs are the places of `linear.basis`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from understudy.theory.linear import Array, ease

Rule = Literal["exact", "weak", "ridge"]

WEAK = 25.0
"""Variance of the Gaussian prior under `weak`, over ease: hardly a penalty, but separable labels have no exact fit"""
PENALTIES = tuple(10.0**power for power in np.arange(-5, 0.01, 0.5))


def posteriors(theta: Array, features: Array) -> Array:
    """Return `p(y|x)`, `(points, labels)`, for θ `(width, labels - 1)` and features `(points, width)`."""
    logits = np.pad(features @ theta, ((0, 0), (0, 1)))
    logits -= logits.max(axis=1, keepdims=True)
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def divergence(first: Array, second: Array) -> float:
    """Return the mean over inputs of KL(first ‖ second), nats; both are `(points, labels)`."""
    floor = 1e-300
    return float((first * (np.log(np.maximum(first, floor)) - np.log(np.maximum(second, floor)))).sum(1).mean())


def fit(features: Array, targets: Array, mass: Array, rule: Rule, judge: Callable[[Array], float], count: int) -> Array:
    """Return θ with the least cross-entropy to `targets` (points, labels), with weights `mass` (points,) of the inputs.

    `exact` has no penalty: the targets must give each label some probability, as a teacher's do. `weak` has a wide
    prior, weighted against `count` labels. `ridge` takes the penalty with the least `judge`.
    """
    width, others = features.shape[1], targets.shape[1] - 1
    start = np.zeros((width, others))
    if rule == "ridge":
        candidates = []
        for penalty in reversed(PENALTIES):  # each fit starts from that with the next stronger penalty
            start = newton(features, targets, mass, penalty, start)
            candidates.append(start)
        return min(candidates, key=judge)
    return newton(features, targets, mass, 0.0 if rule == "exact" else 1 / (WEAK * count), start)


def newton(features: Array, targets: Array, mass: Array, penalty: float, theta: Array, steps: int = 60) -> Array:
    """Minimise cross-entropy + penalty/2 · Σ θ²/ease by Newton's method with step halving."""
    weights = penalty / ease(features.shape[1])[:, None]

    def loss(theta: Array) -> float:
        logits = np.pad(features @ theta, ((0, 0), (0, 1)))
        top = logits.max(axis=1, keepdims=True)
        normaliser = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
        return float(mass @ (normaliser - (targets * logits).sum(axis=1)) + 0.5 * (weights * theta**2).sum())

    now = loss(theta)
    for _ in range(steps):
        p = posteriors(theta, features)
        slope = features.T @ (mass[:, None] * (p - targets))[:, :-1] + weights * theta
        if np.abs(slope).max() < 1e-12:
            break
        step = np.linalg.solve(_curvature(features, p, mass, weights), slope.T.ravel()).reshape(theta.T.shape).T
        share = 1.0
        near = np.abs(slope).max() < 1e-7  # full steps are safe there, and the gain is below the rounding of the loss
        while (then := loss(theta - share * step)) > now and share > 1e-6 and not near:
            share /= 2
        if share <= 1e-6:
            break
        theta, now = theta - share * step, then
    return theta


def _curvature(features: Array, p: Array, mass: Array, weights: Array) -> Array:
    """Return the second derivatives, `(others · width, others · width)`, labels first."""
    width, others = features.shape[1], p.shape[1] - 1
    blocks = np.empty((others, width, others, width))
    for i in range(others):
        for j in range(i, others):
            together = mass * p[:, i] * ((i == j) - p[:, j])
            blocks[i, :, j, :] = blocks[j, :, i, :] = features.T @ (together[:, None] * features)
        blocks[i, :, i, :] += np.diag(weights[:, 0] + 1e-13)  # so that it is never singular
    return blocks.reshape(others * width, others * width)
