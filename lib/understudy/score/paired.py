"""Whether two systems differ on the same utterances: the difference of their WERs, over speakers.

`spread` has the method and its sources. Speakers are paired with themselves, and so are what they said and how hard it
is. The test is of the systems as they were trained: what another seed of the same training would give, it cannot know.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from understudy.score.spread import By, Groups, counted, ratio_of_sums

LEVEL = 0.01
"""below which a corrected p has to be before a difference is called one"""
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Difference:
    """WER of the second system minus that of the first, in % absolute: negative, the second is better."""

    wer: float
    low: float
    high: float
    """95 % interval of the difference, for itself alone"""
    p: float | None
    """two-sided, for itself alone; None: there are too few speakers to test"""
    groups: int
    """speakers, or utterances, that were compared"""
    by: By
    speakers: int
    """that are named; 0: not all are"""
    corrected: float | None = None
    """p for the number of tests that were made together (`holm`)"""
    tests: int = 1
    """their number"""

    def significant(self, level: float = LEVEL) -> bool:
        """Whether it is called more than chance; never where there are too few speakers to test."""
        p = self.p if self.corrected is None else self.corrected
        return p is not None and p < level

    def told(self) -> str:
        """What was compared, for people: `20 speakers`."""
        return counted(self.groups, self.by, self.speakers)

    def verdict(self, level: float = LEVEL) -> str:
        """Which is better, where that is more than chance at `level`; else why it is not told."""
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

    Where fewer than two speakers are named utterances are paired instead, and nothing is tested.

    Args:
        words: reference words of each utterance.
        first: word errors of the first system in each.
        second: of the second.
        speakers: of each; an empty name is none.
        by: what is paired; utterances, where they are known to be independent of each other.

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
    """The same differences with p corrected for their number, so that all verdicts together err as rarely as one.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979. Those that are not tested do not
    count.
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
    """How many times the first system's errors the second makes on the same utterances, with its 95 % interval.

    Over what `difference` pairs. None: fewer than two pairs, or one of them has all errors of the first.
    """
    found = ratio_of_sums(*Groups.of(speakers).sums(second, first)) if len(first) else None
    return None if found is None else (found.value, max(0.0, found.low), found.high)
