"""The language model costs of a decoding graph: the cheapest path through an n-gram model's arcs.

A graph has an arc for each n-gram, and from each history an arc to the next shorter one at the cost of backing off.
That arc has no label, so every path may take it, also where there is an n-gram for the next word. So the cost of a
sequence is that of its cheapest path, which may be less than the model's own: backing off early may avoid an expensive
n-gram, or an expensive back-off after it.

Source: Allauzen, Mohri and Roark, "Generalized algorithms for constructing statistical language models", 2003, section
3.2: back-off by arcs without labels approximates the model.
"""

from __future__ import annotations

import math

from understudy.lang.ngram import BEGIN, END, BackoffModel, Ngram

Ways = tuple[tuple[Ngram, float], ...]
"""Histories that paths so far lead to, long ones first, and how much more the cheapest path to each costs than the
cheapest of all, nats; histories that are as cheaply reached by backing off from a longer one are left out"""

_SAME = 6  # decimals


class GraphCosts:
    """Costs of an n-gram model in a graph that `lang.hclg` builds."""

    def __init__(self, model: BackoffModel) -> None:
        self.model = model
        self.start: Ways = (((BEGIN,)[: model.order - 1], 0.0),)

    def step(self, ways: Ways, word: str) -> tuple[float, Ways]:
        """Return what a word adds to the cost of the cheapest path, nats, and the histories after it.

        Only the sum over a whole sentence, with `end`, is meaningful: a single word's cost depends on which history is
        the cheapest so far. The cost is inf, without histories, for a word that the model lacks.
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
        """Return what the end of a sentence adds to the cost, nats."""
        return min(
            (
                cost - self.model.log_probs.get((*history, END), -math.inf)
                for history, cost in self._closed(ways).items()
            ),
            default=math.inf,
        )

    def _closed(self, ways: Ways) -> dict[Ngram, float]:
        """Return the least cost of each history, including those reached by backing off."""
        found: dict[Ngram, float] = {}
        for history, cost in sorted(ways, key=lambda way: -len(way[0])):
            for begin in range(len(history) + 1):
                here = history[begin:]
                if cost >= found.get(here, math.inf):
                    break  # and so are all that it backs off to
                found[here] = cost
                cost -= self.model.log_backoffs.get(here, 0.0)
        return found

    def _apart(self, costs: dict[Ngram, float]) -> Ways:
        """Leave out histories that are as cheaply reached by backing off from a longer one."""
        kept: list[tuple[Ngram, float]] = []
        for history, cost in sorted(costs.items(), key=lambda way: (-len(way[0]), way[0])):
            if round(cost, _SAME) < round(self._closed(tuple(kept)).get(history, math.inf), _SAME):
                kept.append((history, round(cost, _SAME)))
        return tuple(kept)
