"""Confidence intervals of error rates by the jackknife over speakers, with Student's t distribution.

Utterances of a speaker are correlated: they are hard or easy together, and suit the same system. Treating them as
independent makes intervals too narrow and takes chance for a difference (tests/bench/significance.py counts how often).
So speakers are the units: the rate is computed again without each of them, its variance is
(G − 1)/G Σ (rate without g − rate)², and (rate − truth)/√variance is compared with Student's t distribution of G − 1
degrees of freedom, where G is the number of speakers.

Sources: Tukey 1958; Efron and Stein, "The jackknife estimate of variance", 1981, who show that it is no less than the
true variance on average; MacKinnon, Nielsen and Webb, "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference", 2023, who find that with this distribution it hardly over-rejects true hypotheses if groups
are few or of unequal sizes, and that it is more reliable than the usual sum of squares. A bootstrap over so few
speakers is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from understudy import step
from understudy.score import student

By = Literal["speaker", "utterance"]
FEWEST = 8
"""Fewest groups for a test: from fewer, the variance between speakers is hardly known"""
_SHARE = 0.95


@dataclass(frozen=True)
class Groups:
    """Grouping of utterances: by speaker, or each by itself where fewer than two speakers are named."""

    place: np.ndarray
    """(utterances,) int: the group of each"""
    by: By
    asked: By
    """the grouping that was asked for"""
    speakers: int
    """number of speakers; 0: the set does not name all of them"""

    @classmethod
    def of(cls, speakers: Sequence[str], by: By = "speaker") -> Groups:
        """Group utterances by the speaker of each; an empty name means unknown."""
        names, place = np.unique(np.array(list(speakers), str), return_inverse=True)
        named = 0 if "" in names else len(names)
        if by == "speaker" and named > 1:
            return cls(place, "speaker", by, named)
        return cls(np.arange(len(place)), "utterance", by, named)

    @property
    def number(self) -> int:
        """Number of groups."""
        return len(np.unique(self.place))

    @property
    def testable(self) -> bool:
        """Whether there are enough groups, of the kind that was asked for, for a test."""
        return self.by == self.asked and self.number >= FEWEST

    def told(self) -> str:
        """Return the groups as a readable text, e.g. `20 speakers`, `130 utterances of one speaker`."""
        return counted(self.number, self.by, self.speakers)

    def sums(self, *columns: Sequence[float]) -> np.ndarray:
        """Return the sums over each group of values of utterances, (columns, groups)."""
        return np.stack([np.bincount(self.place, np.array(column, np.float64)) for column in columns])


def counted(groups: int, by: By, speakers: int) -> str:
    """Return the units of an interval as a readable text, e.g. `20 speakers`."""
    if by == "speaker":
        return f"{groups} speakers"
    return step.counted(groups, "utterance") + {0: " without names of speakers", 1: " of one speaker"}.get(speakers, "")


@dataclass(frozen=True)
class Estimate:
    """A ratio of sums, with its 95 % interval."""

    value: float
    low: float
    high: float
    p: float
    """two-sided p of the hypothesis that the true ratio is 0"""


def ratio_of_sums(above: np.ndarray, below: np.ndarray) -> Estimate | None:
    """Return the ratio of the sums of two arrays over groups, (groups,) each, with its interval.

    None: there are fewer than two groups, or a single group has the whole denominator.
    """
    total, groups = below.sum(), len(below)
    if groups < 2 or (total - below == 0).any():
        return None
    value = above.sum() / total
    without = (above.sum() - above) / (total - below)
    error = math.sqrt((groups - 1) / groups * ((without - value) ** 2).sum())
    far = student.bound(_SHARE, groups - 1) * error
    p = student.outside(value / error, groups - 1) if error > 0 else float(value == 0)
    return Estimate(float(value), float(value - far), float(value + far), p)
