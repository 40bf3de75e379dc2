"""Search of an utterance that arrives piece by piece: words so far, and in the end those of the whole utterance.

k2's online intersection goes on only from states of the graph that are final, as those of a CTC topology all are; so
it is given a graph in which they all are. Its beams depend on where the pieces end (they adapt from frame to frame,
and k2 prunes between pieces), so that now and then its last word is not that of the whole utterance's search. That
search takes a fiftieth of the time of the speech: an utterance ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import k2
import numpy as np
import torch
from torch import Tensor

from understudy.decode.search import Beams, Found, Wanted, as_vector, dense, search_each
from understudy.lang.graph import words_of


def online_graph(graph: k2.Fsa) -> k2.Fsa:
    """A graph of `understudy.lang.graph` as streams need it, every state of it final at no cost; once for all."""
    arcs, end = graph.arcs.values()[:, :3], graph.shape[0] - 1
    going = arcs[:, 2] != -1
    ends = torch.arange(end, dtype=torch.int32)[:, None]
    table = torch.cat([arcs[going], torch.cat([ends, torch.full_like(ends, end), torch.full_like(ends, -1)], 1)])
    words = torch.cat([graph.aux_labels[going], torch.full((end,), -1, dtype=torch.int32)])
    scores = torch.cat([graph.scores[going], torch.zeros(end)])
    order = np.lexsort((table[:, 1], table[:, 2], table[:, 0]))  # k2 wants the arcs of a state together
    return k2.Fsa(torch.cat([table, scores.view(torch.int32)[:, None]], 1)[order], aux_labels=words[order])


class SearchStream:
    """One utterance; `words` and `senones` are those of its best path so far, wherever that may end."""

    def __init__(self, graph: k2.Fsa, online: k2.Fsa, beams: Beams, news: float = 10.0) -> None:
        """`online` is the `online_graph` of `graph`; `beams` are for the whole, `news` the beam of the words so far."""
        self.words: list[int] = []
        self.senones: list[int] = []
        self._graph, self._beams = graph, beams
        beam = min(news, beams.search)  # of the output too: what is pruned between pieces is lost
        self._intersecter = k2.OnlineDenseIntersecter(
            as_vector(online), 1, beam, beam, beams.min_active, beams.max_active
        )
        self._states: list = [None]
        self._heard: list[Tensor] = []
        self._lost = False

    def __call__(self, scores: Tensor) -> None:
        """Search on with (frames, senones) more scores."""
        if not len(scores):
            return
        self._heard.append(scores)
        if self._lost:  # no path is left; `finish` tries again
            return
        lattice, self._states = self._intersecter.decode(dense([scores]), self._states)
        self._lost = lattice.arcs.num_elements() == 0
        if not self._lost:
            path = k2.shortest_path(lattice, use_double_scores=True)
            self.words = words_of(self._graph, path.aux_labels.tolist())
            self.senones = [label - 1 for label in path.labels.tolist() if label > 0]

    def finish(self, wanted: Wanted) -> Found:
        """What `search_each` finds in the whole utterance."""
        if not self._heard:
            return Found([], empty=True)
        ((found,),) = search_each(self._graph, [self.scores], self._beams, [None], wanted)
        return found

    @property
    def scores(self) -> Tensor:
        """All that was searched, (frames, senones)."""
        return torch.cat(self._heard) if self._heard else torch.zeros(0, 0)


def trailing(senones: Sequence[int], of: frozenset[int]) -> int:
    """Frames at the end that are all of some senones."""
    return next((n for n, senone in enumerate(reversed(senones)) if senone not in of), len(senones))
