"""Pruned search over a batch, with nothing lost silently: empty lattices are searched again and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import NamedTuple

from torch import Tensor

from understudy.decode.lattice import WordLattice
from understudy.decode.options import Beams, Engine, default_engine
from understudy.lang.graph import DecodingGraph
from understudy.step import UserError

RETRIES = 2
_USUAL = Beams()
FRAMES = 2000  # searched at once: 6000 take no less time, and half as much memory again on a graph of 2 M arcs


@dataclass
class Found:
    """Word ids of one utterance; how the search went."""

    words: list[int]
    retried: bool = False
    empty: bool = False
    drawn: list[list[int]] = field(default_factory=list)
    """word sequences drawn from the lattice by their probability, if any were asked for"""
    lattice: WordLattice | None = None
    """if it was asked for, and is not empty"""
    narrowed: bool = False
    """memory ran out: fewer states than asked for were followed"""
    path: list[int] = field(default_factory=list)
    """senone of each frame on the best path, if it was asked for"""


@dataclass(frozen=True)
class Wanted:
    """What to tell of an utterance beside its best words."""

    draws: int = 0
    """word sequences to draw from its lattice by their probability"""
    lattice: bool = False
    """the lattice itself"""
    path: bool = False
    """the senones of its best path"""


class Scales(NamedTuple):
    """Weights of log-posteriors and, within them, of log priors; the graph's weight is 1."""

    acoustic: float
    prior: float
    word: float = 0.0
    """cost of a word, nats (the word insertion penalty): a part of the graph that is searched, `with_word_cost`"""

    def to_dict(self) -> dict[str, float]:
        """As wer.json and recogniser.json hold them."""
        return {"acoustic_scale": self.acoustic, "prior_scale": self.prior, "word_penalty": self.word}

    @classmethod
    def from_dict(cls, told: Mapping[str, float]) -> Scales:
        """What `told` wrote; before there were word penalties there was none."""
        return cls(told["acoustic_scale"], told["prior_scale"], told.get("word_penalty", 0.0))

    def scores(self, log_posteriors: Tensor, log_priors: Tensor) -> Tensor:
        """Scaled pseudo log-likelihoods (frames, senones): acoustic * (posterior - prior * log prior)."""
        return self.acoustic * (log_posteriors - self.prior * log_priors)


@dataclass(frozen=True)
class Rescale:
    """Other scales for a lattice that is there: an arc's acoustic score becomes factor * score + offset[senone]."""

    factor: float
    offset: Tensor
    word: float = 0.0
    """what each word costs more, nats"""

    @classmethod
    def between(cls, old: Scales, new: Scales, log_priors: Tensor) -> Rescale:
        """The change from `old` scales, which the lattice was made with, to `new` ones: exact on its paths."""
        offset = new.acoustic * (old.prior - new.prior) * log_priors
        return cls(new.acoustic / old.acoustic, offset, new.word - old.word)


def search(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams = _USUAL, engine: Engine | None = None
) -> list[Found]:
    """Best words of each utterance: `search_each` with the scores as they are."""
    return [found for (found,) in search_each(graph, utterances, beams, [None], engine=engine)]


def search_each(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None],
    wanted: Wanted = Wanted(), engine: Engine | None = None,
) -> list[list[Found]]:  # fmt: skip
    """Best words of each utterance under each of several scales, from one search.

    Args:
        graph: of `understudy.lang.graph.build_hclg`.
        utterances: scores (frames, senones) of each.
        rescales: what to do to the lattice's scores before its best path is taken; None: nothing.
        wanted: what to tell beside the best words.
        engine: what searches; None: k2 where it is installed.

    Returns:
        In the order of `utterances`, one for each of `rescales`. An utterance whose lattice is empty is
        searched again with beams twice as wide, `RETRIES` times; if it stays empty it has no words and is
        marked so.

    Raises:
        UserError: the bounds of active states leave no room, or the engine is not there.
    """
    if not 0 < beams.min_active < beams.max_active:
        raise UserError(f"beams: min_active {beams.min_active} must be above 0 and below max_active.")
    module, found = backend(engine), [[Found([], empty=True) for _ in rescales] for _ in utterances]
    todo = [i for i, u in enumerate(utterances) if len(u)]
    for attempt in range(1 + RETRIES):
        if not todo:
            break
        for part in _parts(todo, utterances):
            each = module.search_part(graph, [utterances[i] for i in part], beams, rescales, wanted)
            for i, of in zip(part, each, strict=True):
                found[i] = [replace(one, retried=attempt > 0) for one in of]
        todo = [i for i in todo if found[i][0].empty]
        beams = beams.wider()
    return found


def _parts(numbers: Sequence[int], utterances: Sequence[Tensor]) -> Iterator[list[int]]:
    """Utterances of about one length, the longest first; a part has `FRAMES` frames at most, or one utterance."""
    part: list[int] = []
    for i in sorted(numbers, key=lambda i: -len(utterances[i])):
        if part and (len(part) + 1) * len(utterances[part[0]]) > FRAMES:
            yield part
            part = []
        part.append(i)
    if part:
        yield part


class Occupancies(NamedTuple):
    """How much of the paths of some lattices is in a senone at a frame; what is not named is 0."""

    utterances: Tensor
    """(places,) int64, by number"""
    frames: Tensor
    """(places,) int64, of the utterance"""
    senones: Tensor
    """(places,) int64; a senone may have several places at a frame, whose shares add up"""
    shares: Tensor
    """(places,) float64"""


def occupancies(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, best_path: bool = False,
    engine: Engine | None = None,
) -> Occupancies:  # fmt: skip
    """Of the lattices of utterances, scores (frames, senones), through which gradients flow; an empty one has none.

    Args:
        best_path: of the best path of each alone.
        engine: see `search_each`.

    Raises:
        UserError: the engine is not there.
    """
    return backend(engine).occupancies(graph, utterances, beams, best_path)


def backend(engine: Engine | None = None) -> ModuleType:
    """The module of what searches: it has `search_part`, `occupancies` and `Online`.

    Raises:
        UserError: it is k2, which is not there.
    """
    if (engine or default_engine()) == "numpy":
        from understudy.decode import numpy_search

        return numpy_search
    try:
        from understudy.decode import k2_search
    except ModuleNotFoundError as error:
        if error.name != "k2":
            raise
        raise UserError(f"k2 is not installed in this environment; {_WAY_OUT}") from None
    except (ImportError, OSError) as error:  # built for another torch
        raise UserError(f"k2 cannot be loaded ({' '.join(str(error).split())}); {_WAY_OUT}") from None
    return k2_search


_WAY_OUT = "install it as docs/setup.md says, remove it where it does not load, or search without it: --search numpy."
