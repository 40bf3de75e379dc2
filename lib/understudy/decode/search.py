"""Pruned search over a batch; an utterance whose lattice is empty is searched again, and marked if it stays empty."""

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
FRAMES = 2000  # searched at once; 6000 take as long, and 1.5 times the memory on a graph of 2 M arcs


@dataclass
class Found:
    """Word ids of one utterance, and how the search went."""

    words: list[int]
    retried: bool = False
    empty: bool = False
    drawn: list[list[int]] = field(default_factory=list)
    """word sequences drawn at random from the lattice by their probability, if any were asked for"""
    lattice: WordLattice | None = None
    """word lattice, if it was asked for and is not empty"""
    narrowed: bool = False
    """memory ran out, so that fewer active states than asked for were kept"""
    path: list[int] = field(default_factory=list)
    """senone of each frame on the best path, if it was asked for"""


@dataclass(frozen=True)
class Wanted:
    """What a search returns besides the best words of an utterance."""

    draws: int = 0
    """word sequences to draw from its lattice by their probability"""
    lattice: bool = False
    """its word lattice"""
    path: bool = False
    """the senones of its best path"""


class Scales(NamedTuple):
    """Weights of log-posteriors and, within them, of log priors; the graph's weight is 1."""

    acoustic: float
    prior: float
    word: float = 0.0
    """word insertion penalty, nats: a part of the graph that is searched, see `with_word_cost`"""

    def to_dict(self) -> dict[str, float]:
        """Return the scales under their names in wer.json and recogniser.json."""
        return {"acoustic_scale": self.acoustic, "prior_scale": self.prior, "word_penalty": self.word}

    @classmethod
    def from_dict(cls, told: Mapping[str, float]) -> Scales:
        """Read what `to_dict` wrote; older files have no word penalty, which is then 0."""
        return cls(told["acoustic_scale"], told["prior_scale"], told.get("word_penalty", 0.0))

    def scores(self, log_posteriors: Tensor, log_priors: Tensor) -> Tensor:
        """Return scaled pseudo log-likelihoods (frames, senones): acoustic * (log posterior - prior * log prior)."""
        return self.acoustic * (log_posteriors - self.prior * log_priors)


@dataclass(frozen=True)
class Rescale:
    """Other scales for an existing lattice: an arc's acoustic score becomes factor * score + offset[senone]."""

    factor: float
    offset: Tensor
    word: float = 0.0
    """increase of each word's cost, nats"""

    @classmethod
    def between(cls, old: Scales, new: Scales, log_priors: Tensor) -> Rescale:
        """Return the change from `old` scales, which the lattice was made with, to `new` ones; exact on its paths.

        Args:
            log_priors: (senones,).
        """
        offset = new.acoustic * (old.prior - new.prior) * log_priors
        return cls(new.acoustic / old.acoustic, offset, new.word - old.word)


def search(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams = _USUAL, engine: Engine | None = None
) -> list[Found]:
    """Find the best words of each utterance: `search_each` without rescaling."""
    return [found for (found,) in search_each(graph, utterances, beams, [None], engine=engine)]


def search_each(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, rescales: Sequence[Rescale | None],
    wanted: Wanted = Wanted(), engine: Engine | None = None,
) -> list[list[Found]]:  # fmt: skip
    """Find the best words of each utterance under each of several scales, by one search.

    Args:
        graph: the decoding graph, see `understudy.lang.hclg.build_hclg`.
        utterances: scores (frames, senones) of each.
        beams: beams of the first attempt.
        rescales: changes to the lattice's scores before its best path is taken; None: no change.
        wanted: what to return besides the best words.
        engine: the search engine; None: k2 where it is installed.

    Returns:
        A list for each utterance, in the order of `utterances`, with a result for each of `rescales`. An utterance
        whose lattice is empty is searched again with beams twice as wide, `RETRIES` times; if it stays empty, it has
        no words and is marked as empty.

    Raises:
        UserError: min_active is not between 0 and max_active, or the engine is not installed.
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
    """Group utterances of similar length, the longest first; a part has at most `FRAMES` frames, or one utterance."""
    part: list[int] = []
    for i in sorted(numbers, key=lambda i: -len(utterances[i])):
        if part and (len(part) + 1) * len(utterances[part[0]]) > FRAMES:
            yield part
            part = []
        part.append(i)
    if part:
        yield part


class Occupancies(NamedTuple):
    """Occupancies: the posterior probability of each senone at each frame, given lattices; what is not listed is 0."""

    utterances: Tensor
    """(places,) int64, the utterance's number"""
    frames: Tensor
    """(places,) int64, the frame in the utterance"""
    senones: Tensor
    """(places,) int64; a senone may have several places at a frame, whose shares add up"""
    shares: Tensor
    """(places,) float64, the posterior probability"""


def occupancies(
    graph: DecodingGraph, utterances: Sequence[Tensor], beams: Beams, best_path: bool = False,
    engine: Engine | None = None,
) -> Occupancies:  # fmt: skip
    """Return the occupancies of utterances' lattices, differentiable by the scores; an empty lattice has none.

    Args:
        graph: the decoding graph.
        utterances: scores (frames, senones) of each.
        beams: beams of the search.
        best_path: return those of each utterance's best path alone.
        engine: see `search_each`.

    Raises:
        UserError: the engine is not installed.
    """
    return backend(engine).occupancies(graph, utterances, beams, best_path)


def backend(engine: Engine | None = None) -> ModuleType:
    """Return the module of the search engine: it has `search_part`, `occupancies` and `Online`.

    Raises:
        UserError: the engine is k2, which is not installed or cannot be loaded.
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
