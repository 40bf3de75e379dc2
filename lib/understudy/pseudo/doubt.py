"""When a transcript is not believed: reasons that its words alone give, and their order."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.pseudo.options import Doubts

NOT_HEARD, EMPTY, UNSURE, LOOP = "no transcript", "no words", "recogniser unsure", "the same words again and again"
SLOW, FAST = "too few words a second", "too many words a second"
UNKNOWN, UNALIGNED = "words without pronunciation", "fewer frames than phones"
UNLIKELY = "alignment far from the best senones"
REASONS = (NOT_HEARD, EMPTY, UNSURE, LOOP, SLOW, FAST, UNKNOWN, UNALIGNED, UNLIKELY)
"""All of them, in the order in which they are looked for: an utterance has the first that holds"""


def doubted(words: Sequence[str], log_probability: float | None, seconds: float, doubts: Doubts) -> str | None:
    """The reason for which a text is left out before it is aligned; None: there is none.

    Args:
        log_probability: mean of the recogniser's tokens, where it is known.
        seconds: of the utterance.
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
    """Whether some words, one or more, are followed by themselves so often that they stand there `times` times."""
    for length in range(1, len(words) // times + 1):
        alike = 0
        for i in range(length, len(words)):
            alike = alike + 1 if words[i] == words[i - length] else 0
            if alike == length * (times - 1):
                return True
    return False
