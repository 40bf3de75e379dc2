"""How far a rate of errors may lie from what other speakers would give: the jackknife over speakers, with the t law.

Utterances of a speaker are hard or easy together, and suit one system together. Taken for independent of each other
they make intervals too narrow and call chance a difference (tests/bench/significance.py counts how often). So whole
speakers are what is counted: a rate is computed again without each of them, its variance is
(G − 1)/G Σ (rate without g − rate)², and (rate − truth)/√variance is compared with Student's law of G − 1 degrees of
freedom, G being the number of speakers.

Sources: Tukey 1958; Efron and Stein, "The jackknife estimate of variance", 1981, who show that it is no less than the
true variance on average; MacKinnon, Nielsen and Webb, "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference", 2023, who find that with this law it hardly rejects what is true too often, where groups are
few or of unequal sizes, and more reliable than the usual sum of squares. A bootstrap that draws so few speakers is
narrower than it should be.
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
"""groups, for a test: how unlike each other speakers are is hardly known from fewer"""
_SHARE = 0.95


@dataclass(frozen=True)
class Groups:
    """What is counted: the speakers of a test set, or its utterances where there are not two speakers to count."""

    place: np.ndarray
    """(utterances,) int: the group of each"""
    by: By
    asked: By
    """what was to be counted"""
    speakers: int
    """that are named; 0: the set does not name all of them"""

    @classmethod
    def of(cls, speakers: Sequence[str], by: By = "speaker") -> Groups:
        """Of the speaker of each utterance; an empty name is none."""
        names, place = np.unique(np.array(list(speakers), str), return_inverse=True)
        named = 0 if "" in names else len(names)
        if by == "speaker" and named > 1:
            return cls(place, "speaker", by, named)
        return cls(np.arange(len(place)), "utterance", by, named)

    @property
    def number(self) -> int:
        """Of groups."""
        return len(np.unique(self.place))

    @property
    def testable(self) -> bool:
        """Whether there are enough of what was to be counted to call a difference one."""
        return self.by == self.asked and self.number >= FEWEST

    def told(self) -> str:
        """For people: `20 speakers`, `130 utterances of one speaker`."""
        return counted(self.number, self.by, self.speakers)

    def sums(self, *columns: Sequence[float]) -> np.ndarray:
        """(columns, groups) of values of utterances."""
        return np.stack([np.bincount(self.place, np.array(column, np.float64)) for column in columns])


def counted(groups: int, by: By, speakers: int) -> str:
    """For people, what an interval is over."""
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
    """two-sided, of a true ratio of 0"""


def ratio_of_sums(above: np.ndarray, below: np.ndarray) -> Estimate | None:
    """The ratio of two sums over groups, (groups,) each; None where it has no interval.

    There is none of fewer than two groups, or where one group has all that is below.
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
