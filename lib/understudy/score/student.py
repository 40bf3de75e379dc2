"""Student's t distribution with whole degrees of freedom, by finite sums: no package that the recipes use has it.

Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 and 26.7.4.
"""

from __future__ import annotations

import math


def within(t: float, freedom: int) -> float:
    """Return the probability that a value lies between −t and t.

    Raises:
        ValueError: `freedom` is below 1.
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom: there must be one at least")
    angle = math.atan(abs(t) / math.sqrt(freedom))
    sine, cosine, odd = math.sin(angle), math.cos(angle), freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def outside(t: float, freedom: int) -> float:
    """Return the probability of a value at least as far from 0, the two-sided p of t; below 1e-15 it is rounding."""
    return max(0.0, 1.0 - within(t, freedom))


def bound(share: float, freedom: int) -> float:
    """Return the t for which this share of values lies within −t and t, e.g. 12.7 for 0.95 and 1 degree of freedom."""
    low, high = 0.0, 1.0
    while within(high, freedom) < share:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, freedom) < share else (low, middle)
    return high
