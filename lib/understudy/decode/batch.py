"""Decoding of whole manifests over processes (a search has one thread)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lhotse import CutSet
from lhotse.cut import Cut

from understudy.decode.options import Beams, Engine, default_engine
from understudy.decode.search import Found, Rescale, Scales, Wanted, search_each
from understudy.features import Normaliser
from understudy.features.batches import consecutive
from understudy.lang.graph import GRAPH_FILES, load_graph, with_word_cost
from understudy.models import heard, load_any
from understudy.parallel.workers import Workers
from understudy.score.normalise import Way
from understudy.score.outcome import Outcome
from understudy.step import UserError, fingerprint


@dataclass(frozen=True)
class Decoder:
    """The files that a process needs to decode; their contents are loaded in the process.

    It holds the files' fingerprints too: processes may outlive the step (--cluster.scheduler) and keep what they have
    loaded, so that a changed file must make another decoder.
    """

    model: Path
    graph: Path
    """folder of the decoding graph"""
    normaliser: Path
    beams: Beams
    engine: Engine = field(default_factory=default_engine)
    """the search engine"""
    made_of: tuple[str, ...] = field(init=False)
    """fingerprints of the files"""

    def __post_init__(self) -> None:
        for name in ("model", "graph", "normaliser"):
            object.__setattr__(self, name, getattr(self, name).absolute())
        read = [self.model / "model.safetensors", *(self.graph / name for name in GRAPH_FILES), self.normaliser]
        object.__setattr__(self, "made_of", fingerprint.of_files(read))


class Decoded(NamedTuple):
    """One decoded utterance."""

    id: str
    speaker: str
    """empty where the manifest names none"""
    reference: list[str]
    found: list[Found]
    """one result for each of the scales"""


def outcome(one: Decoded, words: Sequence[str], number: int = 0, ways: Sequence[Way] = ()) -> Outcome:
    """Return the utterance as it is scored, under the scales of this number; `words` are the words by id."""
    found = one.found[number]
    heard = [words[i] for i in found.words]
    how = {"retried": found.retried, "empty": found.empty, "narrowed": found.narrowed}
    return Outcome.of(one.id, one.speaker, one.reference, heard, ways, **how)


_loaded: dict[tuple[Decoder, float], tuple] = {}
"""model, graph and normaliser of the decoder used last"""


def decode(
    decoder: Decoder, manifest: Path, grid: list[Scales], workers: Workers, lattices: bool = False, frames: int = 6000
) -> Iterator[Decoded]:
    """Decode every cut of a manifest with each of several scales.

    One search makes a lattice. Where there are several scales, it uses the middle ones, and the best paths under the
    others are taken from its lattice (as Kaldi's scoring does with LM weights).

    Args:
        lattices: also return the word lattices.
        frames: 30 ms frames in a batch, at most (a longer utterance is a batch of its own).

    Yields:
        The decoded utterances, in the manifest's order.
    """
    tasks = ((decoder, batch, grid, lattices) for batch in consecutive(_cuts(manifest), frames))
    for done in workers.map(_decode_batch, tasks, f"{manifest}: batches"):
        yield from done


def _cuts(manifest: Path) -> Iterator[Cut]:
    for cut in CutSet.from_jsonl_lazy(manifest):
        if len(cut.supervisions) != 1 or cut.supervisions[0].text is None:
            raise UserError(f"{manifest}: cut {cut.id} has no transcript to score against. Use a transcribed set.")
        yield cut


def _decode_batch(task: tuple[Decoder, list[Cut], list[Scales], bool]) -> list[Decoded]:
    decoder, cuts, grid, lattices = task
    middle = grid[len(grid) // 2]
    if (decoder, middle.word) not in _loaded:
        _loaded.clear()
        model = load_any(decoder.model)
        graph = with_word_cost(load_graph(decoder.graph, model.meta.get("tree")), middle.word)
        _loaded[decoder, middle.word] = model, graph, Normaliser.load(decoder.normaliser)
    model, graph, normaliser = _loaded[decoder, middle.word]
    log_posteriors = model.log_posteriors(heard(model, cuts, normaliser))
    rescales = [None if s == middle else Rescale.between(middle, s, model.log_priors) for s in grid]
    scores = [middle.scores(p, model.log_priors) for p in log_posteriors]
    found = search_each(graph, scores, decoder.beams, rescales, Wanted(lattice=lattices), decoder.engine)
    said = [(c.id, c.supervisions[0]) for c in cuts]
    return [Decoded(i, s.speaker or "", s.text.split(), f) for (i, s), f in zip(said, found, strict=True)]
