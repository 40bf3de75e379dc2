"""Search of an utterance that arrives piece by piece: words so far, and in the end those of the whole utterance.

The words so far can depend on where pieces end (`k2_search.Online`), so that now and then their last word differs from
that of a search of the whole utterance. So each utterance is searched once more as a whole at its end, which takes a
fiftieth of its duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from understudy.decode.options import Beams, Engine
from understudy.decode.search import Found, Wanted, backend, search_each
from understudy.lang.graph import DecodingGraph, words_of


class SearchStream:
    """The search of one utterance; `words` and `senones` are those of its best path so far, in any state."""

    def __init__(self, graph: DecodingGraph, beams: Beams, news: float = 10.0, engine: Engine | None = None) -> None:
        """Begin an utterance: `beams` are for the search of the whole, `news` is the beam for the words so far."""
        self.words: list[int] = []
        self.senones: list[int] = []
        self._graph, self._beams, self._engine = graph, beams, engine
        beam = min(news, beams.search)  # for the output too: what is pruned between pieces is lost
        self._search = backend(engine).Online(graph, replace(beams, search=beam, output=beam))
        self._heard: list[Tensor] = []
        self._lost = False

    def __call__(self, scores: Tensor) -> None:
        """Search on with (frames, senones) more scores."""
        if not len(scores):
            return
        self._heard.append(scores)
        if self._lost:  # no path is left; `finish` tries again
            return
        best = self._search(scores)
        self._lost = best is None
        if best is not None:
            outputs, self.senones = best
            self.words = words_of(self._graph, outputs)

    def finish(self, wanted: Wanted) -> Found:
        """Return what `search_each` finds in the whole utterance."""
        if not self._heard:
            return Found([], empty=True)
        ((found,),) = search_each(self._graph, [self.scores], self._beams, [None], wanted, self._engine)
        return found

    @property
    def scores(self) -> Tensor:
        """All scores that were searched, (frames, senones)."""
        return torch.cat(self._heard) if self._heard else torch.zeros(0, 0)


def trailing(senones: Sequence[int], of: frozenset[int]) -> int:
    """Return the number of frames at the end whose senones are all in `of`."""
    return next((n for n, senone in enumerate(reversed(senones)) if senone not in of), len(senones))
