"""Whether two systems differ on the same utterances: a matched-pairs test, and a bootstrap of the difference."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

REPLICATIONS = 5000
_AT_ONCE = 500  # replications in memory


@dataclass(frozen=True)
class Difference:
    """WER of the second system minus that of the first, in % absolute: negative, the second is better."""

    wer: float
    low: float
    high: float
    """95 % interval of the difference, by bootstrap"""
    p_bootstrap: float
    """two-sided: how often resampling turns the sign"""
    p_matched: float
    """two-sided, matched pairs"""
    pairs: int
    """utterances, or speakers, that were compared"""

    def significant(self, level: float) -> bool:
        """Whether both tests call it more than chance."""
        return max(self.p_bootstrap, self.p_matched) < level

    def verdict(self, level: float) -> str:
        """Which is better where both tests say so at `level`; else "no difference shown"."""
        if not self.significant(level):
            return "no difference shown"
        return "the second is better" if self.wer < 0 else "the first is better"


def difference(
    words: Sequence[float], first: Sequence[float], second: Sequence[float], groups: Sequence[Hashable] | None = None,
    seed: int = 0, replications: int = REPLICATIONS,
) -> Difference:  # fmt: skip
    """Compare errors of two systems utterance by utterance.

    Both tests take pairs for independent of each other. Utterances of one speaker are not quite: pass the speakers
    as `groups`, and whole speakers are paired and drawn. Sources: matched pairs, Gillick and Cox 1989 (each pair is
    a segment); bootstrap, Bisani and Ney 2004.

    Args:
        words: reference words of each utterance.
        first: word errors of the first system in each.
        second: of the second.
        replications: samples of the bootstrap.
        groups: what each utterance is summed up with; None: each is a pair of its own.

    Raises:
        ValueError: fewer than two pairs, no words, or sequences of different lengths.
    """
    table = np.array([words, first, second], np.float64)
    if groups is not None:
        _, place = np.unique(np.array([str(g) for g in groups]), return_inverse=True)
        table = np.stack([np.bincount(place, row) for row in table])
    pairs, total = table.shape[1], table[0].sum()
    if pairs < 2 or total == 0:
        raise ValueError(f"{pairs} pairs with {total:.0f} words: there is nothing to compare")
    gain = table[2] - table[1]
    drawn = _bootstrap(table[0], gain, seed, replications)
    low, high = np.percentile(drawn, [2.5, 97.5])
    # The sample itself counts as one that turned the sign: p is never 0.
    tails = [(1 + np.sum(drawn <= 0)) / (1 + len(drawn)), (1 + np.sum(drawn >= 0)) / (1 + len(drawn))]
    return Difference(
        100 * gain.sum() / total, float(low), float(high), min(1.0, 2 * float(min(tails))), _matched(gain), pairs
    )


def _bootstrap(words: np.ndarray, gain: np.ndarray, seed: int, replications: int) -> np.ndarray:
    """Differences in % of samples drawn with replacement, (replications,)."""
    rng, n = np.random.default_rng(seed), len(words)
    drawn = []
    for begin in range(0, replications, _AT_ONCE):
        size = min(_AT_ONCE, replications - begin)
        times = rng.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float32)
        drawn.append(100 * (times @ gain.astype(np.float32)) / (times @ words.astype(np.float32)))
    return np.concatenate(drawn)


def _matched(gain: np.ndarray) -> float:
    """Two-sided p of a mean that is 0, by the normal law."""
    spread = gain.std(ddof=1)
    if spread == 0:
        return 1.0 if gain[0] == 0 else 0.0
    return math.erfc(abs(gain.mean()) / (spread / math.sqrt(len(gain))) / math.sqrt(2))
