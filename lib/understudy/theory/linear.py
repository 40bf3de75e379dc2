"""Nested linear classes of functions, and fits in them: least squares, in a ball, with ridge, with early stopping.

Inputs are uniform over POINTS places; a class of width d is spanned by the first d of a sequence of fixed random
features, orthonormal over the places. So a function is its vector of coefficients, the squared distance of functions is
that of the vectors, and a narrower class has the vectors that end in zeros: projections and errors are exact, without a
test set. (Our choice. Waves on a circle would serve too, but their fits explode in gaps between few labels.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rule = Literal["exact", "ball", "ridge", "stopped"]

POINTS = 512
RADIUS = 1.0
"""Radius of the ball: the norm of every truth, so that the ball just contains it"""
PENALTIES = tuple(10.0**power for power in np.arange(-6, 1.01, 0.5))
STEPS = tuple(int(2**power) for power in np.arange(0, 14.01, 0.5))


@lru_cache
def basis(width: int, points: int = POINTS) -> Array:
    """Return the first `width` features at all places, `(points, width)`: orthonormal in the mean, the first is 1."""
    raw = np.random.default_rng(0).standard_normal((points, points // 4))
    raw[:, 0] = 1
    found = np.linalg.qr(raw)[0][:, :width] * np.sqrt(points)
    found.setflags(write=False)
    return found


def ease(width: int) -> Array:
    """Return how fast ridge or gradient descent fits each feature, `(width,)`: 1 / (1 + ⌈i/2⌉²), as waves by frequency.

    Networks too learn some functions first; without this, a stopped student would only be a shrunken teacher.
    """
    order = (np.arange(width) + 1) // 2
    return 1.0 / (1.0 + order.astype(float) ** 2)


@dataclass(frozen=True)
class Moments:
    """Second moments of the data, which is all that a fit by squared loss needs."""

    square: Array
    """mean of φφᵀ, `(width, width)`"""
    cross: Array
    """mean of φ·target, `(width,)`"""

    @classmethod
    def of(cls, features: Array, targets: Array) -> Moments:
        """Compute the moments of a sample: features `(n, width)`, targets `(n,)`."""
        return cls(features.T @ features / len(features), features.T @ targets / len(features))

    @classmethod
    def of_everything(cls, coefficients: Array, width: int) -> Moments:
        """Return the moments of all inputs (N → ∞) with the function of these coefficients as target."""
        return cls(np.eye(width), resized(coefficients, width))


def resized(coefficients: Array, width: int) -> Array:
    """Return a function with `width` coefficients: padded with zeros, or projected onto the narrower class."""
    return np.pad(coefficients[:width], (0, max(0, width - len(coefficients))))


def distance(first: Array, second: Array) -> float:
    """Return the squared L2 distance of two functions."""
    width = max(len(first), len(second))
    return float(((resized(first, width) - resized(second, width)) ** 2).sum())


def fit(moments: Moments, rule: Rule, judge: Callable[[Array], float]) -> Array:
    """Fit the coefficients by a rule in the class of the moments' width.

    `exact` is least squares (if the solution is not unique, that of least norm weighted by ease), `ball` least squares
    among functions of norm up to RADIUS: both are projections onto convex classes. `ridge` and `stopped` (gradient
    descent from zero) take the penalty, or the number of steps, with the least `judge`, an error on dev labels.
    """
    if rule == "ball":
        return _in_ball(moments)
    scale = np.sqrt(ease(len(moments.cross)))
    values, vectors = np.linalg.eigh(scale[:, None] * moments.square * scale)
    values = np.maximum(values, 0)
    target = vectors.T @ (scale * moments.cross)
    candidates = (scale * (vectors @ (f * target)) for f in _filters(values, rule))
    return next(candidates) if rule == "exact" else min(candidates, key=judge)


def _filters(values: Array, rule: Rule) -> list[Array]:
    """Return what the rule takes in place of 1 / eigenvalue, one array for each strength of the rule."""
    inverse = np.where(values > 1e-10 * values.max(), 1 / np.maximum(values, 1e-300), 0.0)
    if rule == "exact":
        return [inverse]
    if rule == "ridge":
        return [1 / (values + penalty) for penalty in PENALTIES]
    rate = 1 / values.max()
    return [(1 - (1 - rate * values) ** steps) * inverse for steps in STEPS]


def _in_ball(moments: Moments) -> Array:
    """Fit least squares under ‖θ‖ ≤ RADIUS: a ridge whose penalty, found by bisection, puts θ onto the ball."""
    values, vectors = np.linalg.eigh(moments.square)
    target = vectors.T @ moments.cross
    kept = values > 1e-10 * values.max()

    def solution(penalty: float) -> Array:
        return vectors @ np.where(kept, target / np.where(kept, values + penalty, 1.0), 0.0)

    low, high = 0.0, 1.0
    if np.linalg.norm(solution(low)) <= RADIUS:
        return solution(low)
    while np.linalg.norm(solution(high)) > RADIUS:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.norm(solution(middle)) > RADIUS else (low, middle)
    return solution(high)
