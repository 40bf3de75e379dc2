"""An n-gram model of phones without back-off arcs: the language model of a denominator graph.

Source: Povey et al., "Purely sequence-trained neural networks for ASR based on lattice-free MMI", Interspeech
2016, section 2.3: unsmoothed, so that few phones can follow a history; histories of up to two phones are all
kept, longer ones only where they help. Their selection is our choice: Kaldi merges histories one after the other, here
each is ranked by its own gain in likelihood.
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
    """The model as an acceptor: states are histories (phones, most recent last); `start` begins an utterance."""

    def __init__(self, log_probs: dict[History, dict[int, float]], start: History) -> None:
        self.log_probs, self.start = log_probs, start

    def arcs(self, state: History) -> list[tuple[int, float, History]]:
        """Return (phone, log p(phone | state), next state) of every phone that was seen after the state."""
        return [(p, v, self._next((*state, p))) for p, v in self.log_probs[state].items() if p != _END]

    def final(self, state: History) -> float | None:
        """Return log p(end | state); None where no utterance ended."""
        return self.log_probs[state].get(_END)

    def follow(self, state: History, phone: int) -> tuple[float, History]:
        """Return log p(phone | state) and the next state for any phone, if unseen from a shorter history.

        Each shortening costs log 1000 (our choice: only transcripts use this, and each needs a path).
        """
        penalty, history = 0.0, state
        while phone not in self.log_probs[history]:
            penalty += _UNSEEN
            if not history:
                return penalty, ()
            history = self._next(history[1:])
        return penalty + self.log_probs[history][phone], self._next((*history, phone))

    def end(self, state: History) -> float:
        """Return log p(end | state), if unseen from a shorter history (see `follow`)."""
        return self.follow(state, _END)[0]

    def _next(self, history: History) -> History:
        while history not in self.log_probs:
            history = history[1:]
        return history


def estimate(sequences: Iterable[Iterable[int]], order: int = 4, extra_states: int = 2000) -> PhoneLm:
    """Estimate a model from counts of phones after histories of up to `order` − 1 phones.

    Args:
        sequences: phone ids (from 1) of utterances, silence included.
        extra_states: histories of more than two phones that are kept, at most: those with the largest gain.

    Raises:
        UserError: there is no sequence.
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
    # `follow` falls back on the shorter histories of each history, so these are kept too.
    kept = {h for h in every if len(h) <= _SHORT}
    for history in long[:extra_states]:
        kept |= {history[i:] for i in range(len(history))}
    counts = _shared_out(every, kept, order)
    model = PhoneLm({h: _log_shares(followers) for h, followers in counts.items()}, ())
    model.start = model._next((_BEGIN,))
    return model


def _gain(counts: Counter[int], shorter: Counter[int]) -> float:
    """Return the gain in log-likelihood of a history over the next shorter one, nats."""
    total, rest = sum(counts.values()), sum(shorter.values())
    return sum(c * (math.log(c / total) - math.log(shorter[p] / rest)) for p, c in counts.items())


def _shared_out(every: dict[History, Counter[int]], kept: set[History], order: int) -> dict[History, Counter[int]]:
    """Return counts of the kept histories: those of each full-length history go to its longest suffix that is kept.

    Shorter histories that get none this way keep all their counts, as histories to fall back on.
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
