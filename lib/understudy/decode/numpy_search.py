"""The search with numpy, for environments without k2: one utterance at a time, by the device's `tokens` and `paths`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from understudy.decode.lattice import WordLattice, determinised
from understudy.decode.options import Beams
from understudy.decode.search import Found, Occupancies, Rescale, Wanted
from understudy.device.net import ArrayNet
from understudy.device.paths import Lattice
from understudy.device.tokens import TokenSearch
from understudy.lang.graph import DecodingGraph, word_counts, words_of

_SEED = 1  # of each utterance's random paths, so that they do not depend on the other utterances


def search_part(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None], wanted: Wanted
) -> list[list[Found]]:
    """Search utterances one by one and return each one's result under each rescaling."""
    return [_found(graph, scores, beams, rescales, wanted) for scores in utterances]


def lattice(graph: DecodingGraph, scores: Tensor, beams: Beams) -> Lattice | None:
    """Return the lattice of one utterance, scores (frames, senones); None where no path reached a final state."""
    tokens, heard = TokenSearch(as_net(graph), beams), scores.detach().cpu().numpy()
    tokens(heard)
    return tokens.lattice(heard)


_nets: WeakKeyDictionary[DecodingGraph, ArrayNet] = WeakKeyDictionary()


def as_net(graph: DecodingGraph) -> ArrayNet:
    """Return the graph as it is searched. It is made once: a graph in use must not be changed."""
    if graph not in _nets:
        _nets[graph] = ArrayNet.of(graph)
    return _nets[graph]


def _found(
    graph: DecodingGraph, scores: Tensor, beams: Beams, rescales: Sequence[Rescale | None], wanted: Wanted
) -> list[Found]:
    of = lattice(graph, scores, beams)
    if of is None:
        return [Found([], empty=True) for _ in rescales]
    found = []
    rescaled = np.stack([_rescaled(of, rescale, graph) for rescale in rescales])
    for one, (path, _) in zip(rescaled, of.best(rescaled), strict=True):
        found.append(Found(words_of(graph, of.outputs[path].tolist())))
        if wanted.path:
            found[-1].path = of.senones[path[:-1]].tolist()
        if wanted.draws:
            drawn = of.outputs[of.draw(one, wanted.draws, np.random.default_rng(_SEED))]
            found[-1].drawn = [words_of(graph, outputs) for outputs in drawn.tolist()]
        if wanted.lattice:
            found[-1].lattice = word_lattice(of, one, graph)
    return found


def _rescaled(of: Lattice, rescale: Rescale | None, graph: DecodingGraph) -> np.ndarray:
    """(arcs,) scores of a lattice under a rescaling."""
    if rescale is None:
        return of.graph + of.acoustic
    offset = np.append(rescale.offset.numpy(), 0.0)[of.senones]  # final arcs: 0
    scores = of.graph + rescale.factor * of.acoustic + offset
    return scores - rescale.word * word_counts(graph, of.outputs) if rescale.word else scores


def word_lattice(of: Lattice, scores: np.ndarray, graph: DecodingGraph) -> WordLattice:
    """Return the word lattice of a lattice with scores (arcs,)."""
    words = [words_of(graph, [output]) for output in of.outputs.tolist()]
    table = np.stack([of.sources, of.targets], 1).tolist()
    return determinised(table, words, (-scores).tolist(), of.states)


def occupancies(graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, best_path: bool) -> Occupancies:
    """See `search.occupancies`."""
    columns = [(torch.zeros(0, dtype=torch.int64),) * 3 + (torch.zeros(0, dtype=torch.float64),)]
    for number, scores in enumerate(utterances):
        of = lattice(graph, scores, beams)
        if of is None:
            continue
        if best_path:
            ((path, _),) = of.best((of.graph + of.acoustic)[None])
            emits, shares = path[:-1], torch.ones(len(path) - 1, dtype=torch.float64)
        else:
            emits, every = np.flatnonzero(of.senones >= 0), _Shares.apply(scores.double(), of)
            shares = every[torch.from_numpy(emits)]
        frames, senones = torch.from_numpy(of.frames[emits]), torch.from_numpy(of.senones[emits])
        columns.append((torch.full_like(frames, number), frames, senones, shares))
    return Occupancies(*(torch.cat(column) for column in zip(*columns, strict=True)))


class _Shares(torch.autograd.Function):
    """Arc posteriors of a lattice, differentiable by the scores (frames, senones) that it was made with."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, of: Lattice) -> Tensor:
        ctx.of, ctx.shape = of, scores.shape
        return torch.from_numpy(of.shares(of.graph + of.acoustic))

    @staticmethod
    def backward(ctx: Any, rewards: Tensor) -> tuple[Tensor, None]:
        of, emits = ctx.of, ctx.of.senones >= 0
        slopes = of.gradient(of.graph + of.acoustic, rewards.numpy())
        gradient = np.zeros(ctx.shape)
        np.add.at(gradient, (of.frames[emits], of.senones[emits]), slopes[emits])
        return torch.from_numpy(gradient), None


class Online:
    """The search of one utterance that arrives piece by piece; the result does not depend on where pieces end."""

    def __init__(self, graph: DecodingGraph, beams: Beams) -> None:
        self._tokens = TokenSearch(as_net(graph), beams)

    def __call__(self, scores: Tensor) -> tuple[list[int], list[int]] | None:
        """Search on with (frames, senones) more scores.

        Returns:
            Outputs and senones of the best path so far, wherever it may end; None: no path is left.
        """
        self._tokens(scores.numpy())
        return self._tokens.so_far()
