"""Flat start: monophone mixtures on 10 ms frames, trained by Viterbi EM from an even segmentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from lhotse.cut import Cut

from understudy.align.cepstra import cepstra
from understudy.align.gmm import Accumulator, GaussianMixtures, split
from understudy.align.graph import THREE_STATE, AlignmentGraph, alignment_graph
from understudy.align.shards import Aligned, Pronunciations, pronounced
from understudy.align.viterbi import viterbi
from understudy.features import FRAME_SHIFT, load_logmel, stacked_length
from understudy.step import UserError, log

STATES = len(THREE_STATE.loops)
_BATCH = 64


@dataclass
class SpokenCut:
    """One utterance to align: `features` (frames, dims), its transcript as pronunciations of its words."""

    id: str
    features: torch.Tensor
    pronunciations: list[list[list[int]]]
    silence: int

    def graph(self) -> AlignmentGraph:
        """The graph of monophone states; column of phone p, state s is (p - 1) * 3 + s."""
        return alignment_graph(
            self.pronunciations, self.silence, THREE_STATE, lambda _l, p, _r, s: (p - 1) * STATES + s, context=False
        )


def train(utterances: list[SpokenCut], phones: int, iterations: int = 35, gaussians: int = 1000) -> GaussianMixtures:
    """Train on utterances in memory (choose at most a few hours: mixtures of monophones learn no more).

    Raises:
        UserError: no utterance is long enough for its transcript.
    """
    frames = torch.cat([u.features for u in utterances])
    model = GaussianMixtures(phones * STATES, frames.mean(0), frames.var(0))
    paths = [_even(u) for u in utterances]
    if not any(p is not None for p in paths):
        raise UserError("no utterance is long enough for its transcript: check the lexicon and the transcripts")
    graphs = [u.graph() for u in utterances]
    for iteration in range(iterations):
        if iteration and (iteration <= 10 or iteration % 3 == 0):
            found = _align(utterances, graphs, model)
            paths = [None if f is None else graph.labels[f[0]] for graph, f in zip(graphs, found)]
        counts = _reestimate(model, utterances, paths)
        if iteration < iterations - 8:  # the last iterations settle
            split(model, counts, int(len(counts) + (gaussians - len(counts)) * (iteration + 1) / (iterations - 8)))
        if iteration % 5 == 0:
            missing = sum(p is None for p in paths)
            log.info("iteration %d: %d Gaussians, %d utterances not aligned", iteration, model.components, missing)
    return model


def segments(utterances: list[SpokenCut], model: GaussianMixtures) -> list[np.ndarray | None]:
    """Align: segments (phones, 3) of each: phone, first frame, frame after the last, at 10 ms.

    None where an utterance is too short for its transcript.
    """
    graphs = [utterance.graph() for utterance in utterances]
    found = _align(utterances, graphs, model)
    return [None if one is None else _segments(graph, one[0]) for graph, one in zip(graphs, found, strict=True)]


@dataclass(frozen=True)
class MonophoneAligner:
    """Rows of phone, first frame and frame after the last."""

    model: GaussianMixtures
    phones: tuple[str, ...]
    silence: int

    def __call__(self, cuts: list[Cut], pronunciations: Pronunciations) -> Iterator[Aligned | None]:
        for first in range(0, len(cuts), _BATCH):
            batch = cuts[first : first + _BATCH]
            utterances = [utterance_of(cut, pronunciations, self.silence) for cut in batch]
            for utterance, found in zip(utterances, segments(utterances, self.model), strict=True):
                yield None if found is None else self._aligned(found, len(utterance.features))

    def _aligned(self, found: np.ndarray, frames: int) -> Aligned:
        phones = [(self.phones[phone], start * FRAME_SHIFT) for phone, start, _ in found]
        return Aligned(found, stacked_length(frames), phones)


def utterance_of(cut: Cut, pronunciations: Pronunciations, silence: int) -> SpokenCut:
    """A cut with the cepstra of its stored features."""
    features = torch.from_numpy(cepstra(load_logmel(cut)))
    return SpokenCut(cut.id, features, pronounced(cut, pronunciations), silence)


def _align(
    utterances: list[SpokenCut], graphs: list[AlignmentGraph], model: GaussianMixtures, batch: int = 32
) -> list[tuple[np.ndarray, float] | None]:
    """States (frames,) and score of each utterance, in batches of like length."""
    order = sorted(range(len(utterances)), key=lambda i: len(utterances[i].features))
    found: list = [None] * len(utterances)
    for first in range(0, len(order), batch):
        part = order[first : first + batch]
        features = [utterances[i].features for i in part]
        scores = model.log_likelihoods(torch.cat(features)).split([len(f) for f in features])
        for i, path in zip(part, viterbi([graphs[i] for i in part], scores)):
            found[i] = path
    return found


def _reestimate(model: GaussianMixtures, utterances: list[SpokenCut], paths: list[np.ndarray | None]) -> torch.Tensor:
    accumulator = Accumulator(model)
    kept = [(u.features, torch.from_numpy(p)) for u, p in zip(utterances, paths) if p is not None]
    for first in range(0, len(kept), 64):
        features, states = zip(*kept[first : first + 64])
        accumulator.add(model, torch.cat(features), torch.cat(states))
    accumulator.update(model)
    return accumulator.counts.sum(1)


def _even(utterance: SpokenCut) -> np.ndarray | None:
    """Frames shared evenly among the states of the first pronunciations, silence at both edges."""
    phones = [utterance.silence, *(p for word in utterance.pronunciations for p in word[0]), utterance.silence]
    states = np.array([(p - 1) * STATES + s for p in phones for s in range(STATES)])
    frames = len(utterance.features)
    if frames < len(states):
        return None
    return states[np.arange(frames) * len(states) // frames]


def _segments(graph: AlignmentGraph, states: np.ndarray) -> np.ndarray:
    instance = graph.instances[states]
    first = np.flatnonzero(np.r_[True, instance[1:] != instance[:-1]])
    return np.stack([graph.phones[states[first]], first, np.r_[first[1:], len(states)]], 1)
