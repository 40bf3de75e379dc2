"""Means and rank correlations over seeds, with 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.theory.linear import Array

RESAMPLES = 500


@dataclass(frozen=True)
class Interval:
    """A mean or another figure, and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def mean(values: Array) -> Interval:
    """Return the mean over seeds, `(seeds,)`, with Student's t interval."""
    centre, count = float(values.mean()), len(values)
    half = t_quantile(count - 1) * float(values.std(ddof=1)) / np.sqrt(count) if count > 1 else np.inf
    return Interval(centre, centre - half, centre + half)


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % point of Student's t, to 0.001 from 10 degrees of freedom on (Abramowitz and Stegun 26.7.5)."""
    z = 1.959964
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def ratio(above: Array, below: Array) -> Interval:
    """Return the ratio of two means over the same seeds, with a bootstrap interval over seeds."""
    pick = _resamples(len(above))
    return _interval(above.mean() / below.mean(), above[pick].mean(1) / below[pick].mean(1))


def rank_correlation(first: Array, second: Array) -> Interval:
    """Return Spearman's correlation over cells of their means, both `(cells, seeds)`, with a bootstrap over seeds."""
    found = [_spearman(first[:, p].mean(1), second[:, p].mean(1)) for p in _resamples(first.shape[1])]
    return _interval(_spearman(first.mean(1), second.mean(1)), np.array(found))


def _spearman(first: Array, second: Array) -> float:
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / size) if size > 0 else 0.0


def _ranks(values: Array) -> Array:
    """Return ranks; values that are equal to 1e-9 share a rank, so that rounding is not ranked."""
    _, place, count = np.unique(np.round(values, 9), return_inverse=True, return_counts=True)
    return (count.cumsum() - (count - 1) / 2)[place]


def _resamples(seeds: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(seeds, size=(RESAMPLES, seeds))


def _interval(value: float, found: Array) -> Interval:
    low, high = np.quantile(found, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
