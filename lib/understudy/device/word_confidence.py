"""How sure a recogniser is of each word: the share of what else was likely that has it too, and what that is worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DRAWS = 100
"""word sequences that a confidence is counted over"""
_LEAST = 0.5 / DRAWS
"""of a share: nothing is known to be impossible because of a hundred"""


@dataclass(frozen=True)
class Calibration:
    """What a share says of a word's chance to be right: logistic in the share's own logit, in the order of shares.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999.
    """

    slope: float = 1.0
    """above 0"""
    offset: float = 0.0

    def __call__(self, share: float) -> float:
        """The probability that a word is right of which so many alternatives agree."""
        return 1 / (1 + math.exp(-self.slope * logit(share) - self.offset))


def logit(share: float) -> float:
    """Of a share, which is kept off 0 and 1."""
    kept = min(max(share, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))


def shares(words: Sequence[int], drawn: Sequence[Sequence[int]]) -> list[float]:
    """Share of the drawn word sequences in which each word has its like, when they are aligned with `words`.

    Sequences that are drawn by their probability stand for the lattice (our choice: the posterior of a word is that
    of the alternatives which agree with it, whatever the times).
    """
    if not drawn:
        return [0.0] * len(words)
    agreed = [0] * len(words)
    for other, times in Counter(map(tuple, drawn)).items():
        for place in _alike(tuple(words), other):
            agreed[place] += times
    return [count / len(drawn) for count in agreed]


def _alike(ours: tuple[int, ...], theirs: tuple[int, ...]) -> list[int]:
    """Places of our words that stand beside their like where both are aligned at the least edit distance.

    Of several such alignments it is one in which the most do.
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
    """Places of `a`: by dynamic programming over edits and, of as many, over words that differ."""
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
