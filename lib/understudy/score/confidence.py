"""Evaluation of word confidences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import kaldialign

from understudy.score.normalise import Way, normalise

_LEAST = 1e-6


def correct(reference: Sequence[str], words: Sequence[str], ways: Sequence[Way] = ()) -> list[bool]:
    """Return whether each word is correct in the alignment with the reference.

    Args:
        reference: words of the reference.
        words: words of the hypothesis.
        ways: ways to normalise words, each by itself; a word of which nothing is left is not correct.
    """
    said = [" ".join(one) for word in reference if (one := normalise([word], ways))]
    heard = [" ".join(normalise([word], ways)) for word in words]
    found = [ours == theirs for ours, theirs in kaldialign.align([w for w in heard if w], said, "") if ours]
    right = iter(found)
    return [next(right) if word else False for word in heard]


def normalised_cross_entropy(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """Return the normalised cross-entropy: 1 at best, 0 if no better than always giving the share of right words.

    Source: NIST's normalised cross entropy, see Siu, Gish and Richardson, "Improved estimation, evaluation and
    applications of confidence measures for speech recognition", Eurospeech 1997.

    Args:
        confidences: probability of each word to be right.
        right: whether each word is right.

    Returns:
        None where all words are right or all are wrong.
    """
    share = sum(right) / len(right) if right else 0.0
    if not 0 < share < 1:
        return None
    most = -sum(math.log(share if one else 1 - share) for one in right)
    kept = [min(max(one, _LEAST), 1 - _LEAST) for one in confidences]
    return 1 + sum(math.log(c if one else 1 - c) for c, one in zip(kept, right, strict=True)) / most
