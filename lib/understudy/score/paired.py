"""A paired test whether two systems differ on the same utterances: the difference of their WERs, over speakers.

`spread` describes the method and its sources. Each speaker is paired with themselves, so that both systems have the
same words of the same difficulty. The test is about the systems as trained: it does not cover the variation of seeds.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from understudy.score.spread import By, Groups, counted, ratio_of_sums

LEVEL = 0.01
"""Significance level: a difference is significant if its corrected p is below this"""
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Difference:
    """The WER of the second system minus that of the first, in % absolute: if negative, the second is better."""

    wer: float
    low: float
    high: float
    """95 % interval of the difference, uncorrected"""
    p: float | None
    """two-sided p, uncorrected; None: there are too few speakers for a test"""
    groups: int
    """number of speakers, or utterances, that were compared"""
    by: By
    speakers: int
    """number of speakers; 0: not all are named"""
    corrected: float | None = None
    """p corrected for the number of tests made together (`holm`); None: uncorrected"""
    tests: int = 1
    """number of tests made together"""

    def significant(self, level: float = LEVEL) -> bool:
        """Whether the difference is significant; never if there are too few speakers for a test."""
        p = self.p if self.corrected is None else self.corrected
        return p is not None and p < level

    def told(self) -> str:
        """Return what was compared as a readable text, e.g. `20 speakers`."""
        return counted(self.groups, self.by, self.speakers)

    def verdict(self, level: float = LEVEL) -> str:
        """Return a text on which system is significantly better at `level`, or why neither is."""
        if self.p is None:
            return "too few speakers to tell"
        if not self.significant(level):
            return "no difference shown"
        return "the second is better" if self.wer < 0 else "the first is better"


def difference(
    words: Sequence[float], first: Sequence[float], second: Sequence[float], speakers: Sequence[str],
    by: By = "speaker",
) -> Difference:  # fmt: skip
    """Compare errors of two systems, speaker by speaker.

    Where fewer than two speakers are named, utterances are paired instead, and there is no test.

    Args:
        words: number of reference words of each utterance.
        first: word errors of the first system in each.
        second: word errors of the second system in each.
        speakers: speaker of each; empty: unknown.
        by: units that are paired; utterance, if these are known to be independent of each other.

    Raises:
        ValueError: fewer than two pairs, words in fewer than two of them, or sequences of different lengths.
    """
    groups = Groups.of(speakers, by)
    gain = [b - a for a, b in zip(first, second, strict=True)]
    if len(words) != len(gain) or len(speakers) != len(gain):
        raise ValueError(f"{len(gain)} utterances with {len(words)} counts of words and {len(speakers)} speakers")
    found = ratio_of_sums(*groups.sums(gain, words)) if gain else None
    if found is None:
        raise ValueError(f"{groups.told()} with {sum(words):.0f} words: there is nothing to compare")
    p = found.p if groups.testable else None
    return Difference(
        100 * found.value, 100 * found.low, 100 * found.high, p, groups.number, groups.by, groups.speakers
    )


def holm(found: Mapping[Key, Difference]) -> dict[Key, Difference]:
    """Correct the p of several differences for their number, which controls the family-wise error rate.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979. Differences without p do not count.
    """
    tested = {key: one.p for key, one in found.items() if one.p is not None}
    rising = sorted(tested, key=tested.__getitem__)
    made, least = dict(found), 0.0
    for place, key in enumerate(rising):
        least = max(least, min(1.0, (len(rising) - place) * tested[key]))
        made[key] = replace(found[key], corrected=least, tests=len(rising))
    return made


def ratio(
    first: Sequence[float], second: Sequence[float], speakers: Sequence[str]
) -> tuple[float, float, float] | None:
    """Return the ratio of the second system's errors to the first's on the same utterances, with its 95 % interval.

    Pairs are those of `difference`. None: there are fewer than two pairs, or one of them has all errors of the first.
    """
    found = ratio_of_sums(*Groups.of(speakers).sums(second, first)) if len(first) else None
    return None if found is None else (found.value, max(0.0, found.low), found.high)
