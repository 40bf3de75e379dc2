"""An n-gram of phones without back-off arcs: the language of a denominator graph.

Source: Povey et al., "Purely sequence-trained neural networks for ASR based on lattice-free MMI", Interspeech
2016, section 2.3: unsmoothed, so that few phones can follow a history; histories of up to two phones are all
kept, longer ones only where they help. Which ones is our choice: Kaldi merges one after the other, here each is
weighed by its own gain in likelihood.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from understudy.step import UserError

_UNSEEN = math.log(1e-3)
_BEGIN, _END = -1, 0
_SHORT = 2

History = tuple[int, ...]


class PhoneLm:
    """An acceptor: states are histories (phones, most recent last), `start` that of an utterance's beginning."""

    def __init__(self, log_probs: dict[History, dict[int, float]], start: History) -> None:
        self.log_probs, self.start = log_probs, start

    def arcs(self, state: History) -> list[tuple[int, float, History]]:
        """(phone, log p(phone | state), next state) of every phone that was seen to follow."""
        return [(p, v, self._next((*state, p))) for p, v in self.log_probs[state].items() if p != _END]

    def final(self, state: History) -> float | None:
        """log p(end | state); None where no utterance ended."""
        return self.log_probs[state].get(_END)

    def follow(self, state: History, phone: int) -> tuple[float, History]:
        """log p(phone | state) and the next state, of any phone: what was not seen is taken from a shorter history.

        Each shortening costs log 1000 (our choice: a transcript needs a path, and only a transcript comes here).
        """
        penalty, history = 0.0, state
        while phone not in self.log_probs[history]:
            penalty += _UNSEEN
            if not history:
                return penalty, ()
            history = self._next(history[1:])
        return penalty + self.log_probs[history][phone], self._next((*history, phone))

    def end(self, state: History) -> float:
        """log p(end | state), as `follow` takes it from a shorter history."""
        return self.follow(state, _END)[0]

    def _next(self, history: History) -> History:
        while history not in self.log_probs:
            history = history[1:]
        return history


def estimate(sequences: Iterable[Iterable[int]], order: int = 4, extra_states: int = 2000) -> PhoneLm:
    """Count phones after histories of up to `order` − 1 phones.

    Args:
        sequences: phone ids (from 1) of utterances, silence included.
        extra_states: histories of more than two phones that are kept, at most: those with the largest gain.

    Raises:
        UserError: no sequence.
    """
    every: dict[History, Counter[int]] = defaultdict(Counter)
    for sequence in sequences:
        history: History = (_BEGIN,)
        for phone in (*sequence, _END):
            for length in range(min(order - 1, len(history)) + 1):
                every[history[len(history) - length :]][phone] += 1
            history = (*history, phone)[-max(order - 1, 1) :]
    if not every:
        raise UserError("phone language model: no alignment to estimate it from. Run stage 3 first.")
    long = sorted((h for h in every if len(h) > _SHORT), key=lambda h: (-_gain(every[h], every[h[1:]]), h))
    # A history's own shorter history has to be there too, for `follow` to fall back on.
    kept = {h for h in every if len(h) <= _SHORT}
    for history in long[:extra_states]:
        kept |= {history[i:] for i in range(len(history))}
    counts = _shared_out(every, kept, order)
    model = PhoneLm({h: _log_shares(followers) for h, followers in counts.items()}, ())
    model.start = model._next((_BEGIN,))
    return model


def _gain(counts: Counter[int], shorter: Counter[int]) -> float:
    """Log-likelihood that a history adds to the next shorter one, nats."""
    total, rest = sum(counts.values()), sum(shorter.values())
    return sum(c * (math.log(c / total) - math.log(shorter[p] / rest)) for p, c in counts.items())


def _shared_out(every: dict[History, Counter[int]], kept: set[History], order: int) -> dict[History, Counter[int]]:
    """Counts of the kept histories: each longest history's go to its longest suffix that is kept.

    Shorter ones that are the longest of no position keep all their counts, as places to fall back to.
    """
    counts: dict[History, Counter[int]] = defaultdict(Counter)
    for history, followers in every.items():
        if len(history) == order - 1 or (history and history[0] == _BEGIN):
            while history not in kept:
                history = history[1:]
            counts[history] += followers
    return {h: counts.get(h) or every[h] for h in kept}


def _log_shares(counts: Counter[int]) -> dict[int, float]:
    total = sum(counts.values())
    return {p: math.log(c / total) for p, c in sorted(counts.items())}
