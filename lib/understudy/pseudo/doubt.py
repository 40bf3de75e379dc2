"""Filters on transcripts: the reasons for which an utterance is left out, and a check of its words."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.pseudo.options import Doubts

NOT_HEARD, EMPTY, UNSURE, LOOP = "no transcript", "no words", "recogniser unsure", "the same words again and again"
SLOW, FAST = "too few words a second", "too many words a second"
UNKNOWN, UNALIGNED = "words without pronunciation", "fewer frames than phones"
UNLIKELY = "alignment far from the best senones"
REASONS = (NOT_HEARD, EMPTY, UNSURE, LOOP, SLOW, FAST, UNKNOWN, UNALIGNED, UNLIKELY)
"""All reasons, in the order of their checks: an utterance gets the first that holds"""


def doubted(words: Sequence[str], log_probability: float | None, seconds: float, doubts: Doubts) -> str | None:
    """Return the reason for which a text is left out before its alignment; None: there is none.

    Args:
        words: words of the text.
        log_probability: mean log-probability of the recogniser's tokens, nats; None: unknown.
        seconds: duration of the utterance.
        doubts: the thresholds.
    """
    rate = len(words) / seconds
    told = (
        (EMPTY, not words),
        (UNSURE, log_probability is not None and log_probability < doubts.least_log_probability),
        (LOOP, repeated(words, doubts.repeats)),
        (SLOW, rate < doubts.slowest),
        (FAST, rate > doubts.fastest),
    )
    return next((reason for reason, holds in told if holds), None)


def repeated(words: Sequence[str], times: int) -> bool:
    """Whether a sequence of one or more words occurs `times` times in a row."""
    for length in range(1, len(words) // times + 1):
        alike = 0
        for i in range(length, len(words)):
            alike = alike + 1 if words[i] == words[i - length] else 0
            if alike == length * (times - 1):
                return True
    return False
