"""Confidence in each word: the share of likely alternatives that agree with it, and its calibration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DRAWS = 100
"""word sequences that are drawn for a confidence"""
_LEAST = 0.5 / DRAWS
"""least share: a hundred draws prove nothing impossible"""


@dataclass(frozen=True)
class Calibration:
    """The probability that a word is right, from its share: logistic in the share's logit, and increasing.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999.
    """

    slope: float = 1.0
    """above 0"""
    offset: float = 0.0

    def __call__(self, share: float) -> float:
        """Return the probability that a word is right with which this share of alternatives agrees."""
        return 1 / (1 + math.exp(-self.slope * logit(share) - self.offset))


def logit(share: float) -> float:
    """Return the logit of a share, which is kept off 0 and 1."""
    kept = min(max(share, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))


def shares(words: Sequence[int], drawn: Sequence[Sequence[int]]) -> list[float]:
    """Return, for each word, the share of the drawn word sequences that agree with it when aligned with `words`.

    Sequences that are drawn by their probability stand for the lattice (our choice: the posterior of a word is that
    of the alternatives that agree with it, whatever the times).
    """
    if not drawn:
        return [0.0] * len(words)
    agreed = [0] * len(words)
    for other, times in Counter(map(tuple, drawn)).items():
        for place in _alike(tuple(words), other):
            agreed[place] += times
    return [count / len(drawn) for count in agreed]


def _alike(ours: tuple[int, ...], theirs: tuple[int, ...]) -> list[int]:
    """Return the places of our words that agree with theirs in an alignment at the least edit distance.

    Of several such alignments, one with the most agreements is taken.
    """
    first, most = 0, min(len(ours), len(theirs))
    while first < most and ours[first] == theirs[first]:
        first += 1
    last = 0
    while last < most - first and ours[-1 - last] == theirs[-1 - last]:
        last += 1
    a, b = ours[first : len(ours) - last], theirs[first : len(theirs) - last]
    inside = _aligned(a, b) if a and b else []
    return [*range(first), *(first + place for place in inside), *range(len(ours) - last, len(ours))]


def _aligned(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Return the places of `a` that agree, by dynamic programming over edits and, among equals, over agreements."""
    table = [[(j, 0) for j in range(len(b) + 1)]]
    for i, word in enumerate(a, 1):
        row = [(i, 0)]
        for j, other in enumerate(b, 1):
            (edits, alike), same = table[i - 1][j - 1], word == other
            ways = [(edits + (not same), alike - same), (table[i - 1][j][0] + 1, table[i - 1][j][1])]
            row.append(min(*ways, (row[-1][0] + 1, row[-1][1])))
        table.append(row)
    found, i, j = [], len(a), len(b)
    while i and j:
        (edits, alike), same = table[i - 1][j - 1], a[i - 1] == b[j - 1]
        if table[i][j] == (edits + (not same), alike - same):
            found += [i - 1] * same
            i, j = i - 1, j - 1
        elif table[i][j] == (table[i - 1][j][0] + 1, table[i - 1][j][1]):
            i -= 1
        else:
            j -= 1
    return found[::-1]
