"""What a decoding graph charges for words: the cheapest way through an n-gram model's arcs.

A graph has an arc for each n-gram, and from each history an arc to the next shorter one at the cost of backing off.
That arc is open to every path, also where there is an n-gram for the next word (it has no label). So a sequence costs
what its cheapest way does, which may be less than the model's own: backing off early may avoid a dear n-gram, or a dear
back-off after it.

Source: Allauzen, Mohri and Roark, "Generalized algorithms for constructing statistical language models", 2003, section
3.2: back-off by arcs without label is an approximation of the model.
"""

from __future__ import annotations

import math

from understudy.lang.ngram import BEGIN, END, BackoffModel, Ngram

Ways = tuple[tuple[Ngram, float], ...]
"""Histories that the cheapest ways so far have come to, long ones first, and how much more each has cost than the
cheapest of them, nats; those that are as cheap to come to from a longer one by backing off are left out"""

_SAME = 6  # decimals


class GraphCosts:
    """Costs of an n-gram model as `lang.hclg` builds it."""

    def __init__(self, model: BackoffModel) -> None:
        self.model = model
        self.start: Ways = (((BEGIN,)[: model.order - 1], 0.0),)

    def step(self, ways: Ways, word: str) -> tuple[float, Ways]:
        """What a word adds to the cost of the cheapest way, nats, and the ways after it.

        Only the sum over a whole sentence, with `end`, is told apart from others: of a word it depends on which history
        is the cheapest for now. It is inf, without ways, for a word that the model lacks.
        """
        found: dict[Ngram, float] = {}
        for history, cost in self._closed(ways).items():
            ngram = (*history, word)
            if (log_prob := self.model.log_probs.get(ngram, -math.inf)) > -math.inf:
                after = ngram[-(self.model.order - 1) :] if self.model.order > 1 else ()
                found[after] = min(cost - log_prob, found.get(after, math.inf))
        least = min(found.values(), default=math.inf)
        return least, self._apart({history: cost - least for history, cost in found.items()})

    def end(self, ways: Ways) -> float:
        """What the end of a sentence adds."""
        return min(
            (
                cost - self.model.log_probs.get((*history, END), -math.inf)
                for history, cost in self._closed(ways).items()
            ),
            default=math.inf,
        )

    def _closed(self, ways: Ways) -> dict[Ngram, float]:
        """The least cost of each history that can be come to by backing off, too."""
        found: dict[Ngram, float] = {}
        for history, cost in sorted(ways, key=lambda way: -len(way[0])):
            for begin in range(len(history) + 1):
                here = history[begin:]
                if cost >= found.get(here, math.inf):
                    break  # and whatever it backs off to
                found[here] = cost
                cost -= self.model.log_backoffs.get(here, 0.0)
        return found

    def _apart(self, costs: dict[Ngram, float]) -> Ways:
        """Without those that are reached as cheaply from a longer history."""
        kept: list[tuple[Ngram, float]] = []
        for history, cost in sorted(costs.items(), key=lambda way: (-len(way[0]), way[0])):
            if round(cost, _SAME) < round(self._closed(tuple(kept)).get(history, math.inf), _SAME):
                kept.append((history, round(cost, _SAME)))
        return tuple(kept)
