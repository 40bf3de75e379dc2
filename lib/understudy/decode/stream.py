"""Search of an utterance that arrives piece by piece: words so far, and in the end those of the whole utterance.

What is found in pieces depends on where they end (`k2_search.Online`), so that now and then its last word is not that
of the whole utterance's search. That search takes a fiftieth of the time of the speech: an utterance ends with it.
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
    """One utterance; `words` and `senones` are those of its best path so far, wherever that may end."""

    def __init__(self, graph: DecodingGraph, beams: Beams, news: float = 10.0, engine: Engine | None = None) -> None:
        """`beams` are for the whole, `news` is the beam of the words so far."""
        self.words: list[int] = []
        self.senones: list[int] = []
        self._graph, self._beams, self._engine = graph, beams, engine
        beam = min(news, beams.search)  # of the output too: what is pruned between pieces is lost
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
        """What `search_each` finds in the whole utterance."""
        if not self._heard:
            return Found([], empty=True)
        ((found,),) = search_each(self._graph, [self.scores], self._beams, [None], wanted, self._engine)
        return found

    @property
    def scores(self) -> Tensor:
        """All that was searched, (frames, senones)."""
        return torch.cat(self._heard) if self._heard else torch.zeros(0, 0)


def trailing(senones: Sequence[int], of: frozenset[int]) -> int:
    """Frames at the end that are all of some senones."""
    return next((n for n, senone in enumerate(reversed(senones)) if senone not in of), len(senones))
