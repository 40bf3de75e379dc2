"""Sounds that are no speech among the speech of a training, learnt as silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from understudy.data.batches import Span
from understudy.data.speech import LoadedCut, Speech
from understudy.data.stored import StoredFrames, cuts_with_features, kind_of_all
from understudy.device.topology import ENTRY, LOOP
from understudy.features import STACKED_SHIFT, stacked_frames
from understudy.lang.lexicon import SILENCE_ID
from understudy.lang.tree import Tree
from understudy.step import UserError

WHOLE = 100
"""stacked frames of a piece, at most, where utterances are whole (our choice: 3 s)"""
SHORTEST = 20
"""stacked frames of a piece, at least: what is owed to a batch and less than this comes with the next"""
_FIRST = 1 << 40  # numbers of pieces begin here: no set has as many cuts
_STARTS = 1 << 20  # stacked frames that a sound may have: nine hours


class Senones(NamedTuple):
    """Of silence."""

    entry: int
    """its first frame"""
    loop: int
    """every later one"""

    @classmethod
    def of(cls, tree: Tree) -> Senones:
        """Of a tree: silence is not split, so that no context matters."""
        return cls(*(tree.senone(0, SILENCE_ID, 0, pdf_class) for pdf_class in (ENTRY, LOOP)))

    def labels(self, frames: int) -> np.ndarray:
        """(frames,) of a silence that begins with the first of them."""
        return np.array([self.entry] + [self.loop] * (frames - 1), np.int64)


class Sounds:
    """The cuts of a manifest without words."""

    def __init__(self, manifest: Path, cache_mb: int = 500) -> None:
        """Index them.

        Args:
            cache_mb: see `StoredFrames`.

        Raises:
            UserError: it is no manifest, or its cuts have no features or are all too short.
        """
        self.cuts = [cut for cut in cuts_with_features(manifest) if SHORTEST <= stacked_frames(cut) < _STARTS]
        if not self.cuts:
            raise UserError(f"{manifest}: no cut lasts {SHORTEST * STACKED_SHIFT:g} s, as pieces of non-speech have to")
        self.seconds = sum(cut.duration for cut in self.cuts)
        self.kind = kind_of_all(self.cuts, str(manifest))
        self.frames = StoredFrames(self.cuts, cache_mb)
        """each piece of them is normalised, as an utterance of its own"""


class OneHot:
    """Soft targets, sure of the labels."""

    def __init__(self, labels: np.ndarray, k: int) -> None:
        """Take labels (frames,) and the senones `k` that other targets have of a frame."""
        self._senones = np.zeros((len(labels), k), np.int64)
        self._senones[:, 0] = labels
        self._log_posteriors = np.full((len(labels), k), -np.inf, np.float32)
        self._log_posteriors[:, 0] = 0.0

    def read(self, cut_id: str, frames: int, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See `TargetReader`."""
        return self._senones[start:stop], self._log_posteriors[start:stop]


class WithNonspeech(Speech):
    """Speech, with pieces of sounds that are added to each of its batches; all else is told of the speech alone."""

    def __init__(self, speech: Speech, sounds: Sounds, senones: Senones, share: float, k: int | None = None) -> None:
        """Wrap speech.

        Args:
            share: of the frames of a batch that are pieces of sounds, above 0 and below 1.
            k: senones that the speech's soft targets have of a frame, where it is learnt from these; None: from labels.

        Raises:
            UserError: the sounds' features are of another kind.
        """
        if sounds.kind != speech.kind:
            raise UserError(
                f"the sounds without words have features of {sounds.kind.name}, the speech of {speech.kind.name}. Give "
                "a manifest of theirs whose features were made as those of the speech."
            )
        self.speech, self.sounds, self.senones = speech, sounds, senones
        self.original_seconds, self.described = speech.original_seconds, speech.described
        self.target_cost, self.normaliser, self.kind, self._k = speech.target_cost, speech.normaliser, speech.kind, k
        self._rate = share / (1 - share)  # frames of sounds for one of speech

    def order(
        self, max_frames: int, seed: int | None, part: int = 0, parts: int = 1, chunk: int = 0
    ) -> Iterator[list[Span]]:
        """See `Speech`: the batches of the speech, each with its pieces, which are beyond `max_frames`.

        A piece is at most `chunk` frames long, or `WHOLE` where that is 0, and no longer than the longest utterance
        beside it, so that padding does not grow.
        """
        rng, owed = np.random.default_rng([0 if seed is None else 1 + seed, _FIRST]), 0.0
        for spans in self.speech.order(max_frames, seed, part, parts, chunk):
            lengths = [span.stop - span.start for span in spans]
            owed += self._rate * sum(lengths)
            longest, pieces = max(SHORTEST, min(chunk or WHOLE, max(lengths))), []
            while owed >= SHORTEST:
                pieces.append(self._piece(min(longest, int(owed)), rng))
                owed -= pieces[-1].stop
            yield [*spans, *pieces]

    def _piece(self, frames: int, rng: np.random.Generator) -> Span:
        """So many frames of some sound, or all of one that is shorter; heard as an utterance that begins with it."""
        sound = int(rng.integers(len(self.sounds.cuts)))
        there = stacked_frames(self.sounds.cuts[sound])
        start = int(rng.integers(max(there - frames, 0) + 1))
        return Span(_FIRST + sound * _STARTS + start, 0, min(frames, there))

    def utterance(self, number: int) -> LoadedCut:
        """See `Speech`."""
        if number < _FIRST:
            return self.speech.utterance(number)
        sound, start = divmod(number - _FIRST, _STARTS)
        frames = self.sounds.frames(sound)[start * self.kind.stack :]
        labels, id = self.senones.labels(len(frames) // self.kind.stack), self.sounds.cuts[sound].id
        if self._k is None:
            return LoadedCut(id, frames, labels, None)
        return LoadedCut(id, frames, None, OneHot(labels, self._k))

    def another(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """See `Speech`; beneath a sound no speech is heard, but another sound."""
        if number < _FIRST:
            return self.speech.another(number, rng)
        return self.sounds.frames(int(rng.integers(len(self.sounds.cuts))))

    def labels_of_all(self) -> Iterator[np.ndarray]:
        """See `Speech`: priors count what was said, and its pauses, as often as they are."""
        return self.speech.labels_of_all()

    def any_soft_targets(self) -> bool:
        """See `Speech`."""
        return self.speech.any_soft_targets()
