"""Batches of whole utterances with their labels or soft targets; their order depends on the seed and pass alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lhotse import CutSet
from lhotse.cut import Cut
from lhotse.utils import fastcopy
from torch.nn.utils.rnn import pad_sequence

from understudy.align.archive import AlignmentReader
from understudy.corpus import is_perturbed, set_name
from understudy.features import Normaliser, load_logmel, stack, stacked_length
from understudy.stage import UserError, log
from understudy.targets import TargetReader


@dataclass
class Batch:
    """Utterances padded to one length; targets of all their frames in a row."""

    ids: list[str]
    """cut of each"""
    features: torch.Tensor
    """(batch, frames, inputs)"""
    lengths: torch.Tensor
    """(batch,)"""
    labels: torch.Tensor | None
    """(all frames,) senones"""
    senones: torch.Tensor | None
    """(taught frames, k)"""
    log_posteriors: torch.Tensor | None
    """(taught frames, k)"""
    taught: torch.Tensor | None = None
    """(all frames,) whether a frame has soft targets; None: all have, or none"""

    def rows(self, padded: torch.Tensor) -> torch.Tensor:
        """(batch, frames, …) to (all frames, …): what is padding is left out."""
        mask = torch.arange(padded.shape[1])[None] < self.lengths[:, None]
        return padded[mask.to(padded.device)]


class Span(NamedTuple):
    """Stacked frames `start` to `stop` of the cut with this number."""

    number: int
    start: int
    stop: int


def _bounds(frames: int, chunk: int, rng: np.random.Generator) -> list[int]:
    """Where an utterance is cut: at every `chunk` frames from a random start, no span shorter than half of that."""
    if chunk == 0 or frames <= chunk:
        return [0, frames]
    first, half = int(rng.integers(chunk)), chunk // 2
    return [0, *(b for b in range(first, frames, chunk) if half <= b <= frames - half), frames]


@dataclass
class SpecAugment:
    """Masks of SpecAugment (Park et al. 2019) on normalised log-mels, whose mean is 0."""

    freq_masks: int = 2
    """bands masked in an utterance"""
    freq_width: int = 12
    """widest band, mels"""
    time_masks: int = 2
    """spans masked in an utterance"""
    time_width: int = 12
    """longest span, stacked frames"""
    shift: bool = True
    """start the stacking 0 to 2 frames late"""

    def mask(self, stacked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(frames, 192) to the same, masked copy."""
        frames, mels = len(stacked), stacked.shape[1] // 3
        masked = stacked.reshape(frames, 3, mels).copy()
        for _ in range(self.freq_masks):
            width = int(rng.integers(0, self.freq_width + 1))
            start = int(rng.integers(0, mels - width + 1))
            masked[:, :, start : start + width] = 0.0
        for _ in range(self.time_masks):
            width = int(rng.integers(0, min(self.time_width, frames // 5) + 1))
            start = int(rng.integers(0, frames - width + 1))
            masked[start : start + width] = 0.0
        return masked.reshape(frames, -1)


class Utterance(NamedTuple):
    """A cut, to be learnt from."""

    id: str
    logmels: np.ndarray
    """(10 ms frames, mels) float16, normalised"""
    labels: np.ndarray | None
    """(stacked frames,) senones"""
    targets: TargetReader | None
    """that has its soft targets"""


class Speech(ABC):
    """Cuts with senone labels, soft targets or both, wherever they are kept."""

    original_seconds: float
    """of speech, without copies at other speeds; a cut that comes twice is one piece of speech"""
    described: dict[str, Any] | None
    """what the soft targets are of"""
    target_cost: float | None = None
    """CPU seconds that those of an hour took, where that is known"""

    @abstractmethod
    def order(
        self, max_frames: int, seed: int | None, part: int = 0, parts: int = 1, chunk: int = 0
    ) -> Iterable[list[Span]]:
        """Batches of spans of like length, at most `max_frames` stacked frames each; shuffled by `seed`.

        Args:
            chunk: utterances are cut into spans of at most 1.5 times this many frames, elsewhere for each seed; 0:
                a span is a whole utterance.
        """

    @abstractmethod
    def utterance(self, number: int) -> Utterance:
        """The cut with this number."""

    @abstractmethod
    def labels_of_all(self) -> Iterator[np.ndarray]:
        """Senones (stacked frames,) of every cut."""

    def is_taught(self) -> bool:
        """Whether any cut has soft targets."""
        return self.described is not None

    def batch(self, spans: list[Span], augment: SpecAugment | None, seed: list[int]) -> Batch:
        """Load one batch; the augmentation of a span depends on `seed` and the span alone."""
        ids, features, labels, senones, values, taught = [], [], [], [], [], []
        for number, start, stop in spans:
            one, rng = self.utterance(number), np.random.default_rng([*seed, number, start])
            offset = int(rng.integers(0, 3)) if augment and augment.shift else 0
            # Of the span alone: an utterance is heard in many.
            heard = stack(one.logmels, offset, start, stop).astype(np.float32)
            if one.labels is not None:
                labels.append(torch.from_numpy(one.labels[start:stop].astype(np.int64)))
            if one.targets is not None:
                kept, log_posteriors = one.targets.read(one.id, stacked_length(len(one.logmels)), start, stop)
                senones.append(torch.from_numpy(kept))
                values.append(torch.from_numpy(log_posteriors))
            ids.append(one.id)
            taught.append(torch.full((len(heard),), one.targets is not None))
            features.append(torch.from_numpy(augment.mask(heard, rng) if augment else heard))
        return Batch(
            ids,
            pad_sequence(features, batch_first=True),
            torch.tensor([len(f) for f in features]),
            torch.cat(labels) if labels else None,
            torch.cat(senones) if senones else None,
            torch.cat(values) if values else None,
            torch.cat(taught) if 0 < len(senones) < len(spans) else None,
        )


def spans_of(lengths: Iterable[tuple[int, int]], chunk: int, rng: np.random.Generator) -> list[Span]:
    """Spans of cuts, given their numbers and stacked frames."""
    return [Span(n, a, b) for n, frames in lengths for a, b in pairwise(_bounds(frames, chunk, rng))]


def batches_of(spans: list[Span], max_frames: int, rng: np.random.Generator, shuffled: bool) -> list[list[Span]]:
    """Batches of spans of like length, at most `max_frames` with padding, one span at least."""
    lengths = np.array([span.stop - span.start for span in spans])
    # Lengths are jittered so that utterances meet others from pass to pass.
    key = lengths * rng.uniform(0.9, 1.1, len(lengths)) if shuffled else lengths
    batches: list[list[Span]] = []
    longest = 0
    for i in np.argsort(key, kind="stable"):
        longest = max(longest, int(lengths[i]))
        if not batches or longest * (len(batches[-1]) + 1) > max_frames:
            batches.append([])
            longest = int(lengths[i])
        batches[-1].append(spans[i])
    if shuffled:
        rng.shuffle(batches)
    return batches


def _read(manifest: Path) -> list[Cut]:
    """Cuts with their features and nothing else: 1.1 kB each instead of 7 where they carry phone times."""
    try:
        cuts = [fastcopy(cut, supervisions=[], recording=None) for cut in CutSet.from_jsonl_lazy(manifest)]
    except Exception as error:  # of gzip, JSON and Lhotse: each means that it is no manifest
        raise UserError(f"{manifest}: not a manifest of cuts ({error})") from error
    if bare := next((cut for cut in cuts if not cut.has_features), None):
        raise UserError(
            f"{manifest}: cut {bare.id} has no features. Name the manifest that steps/make_features.py made."
        )
    return cuts


class SpeechData(Speech):
    """Cuts of manifests, all known at once."""

    def __init__(
        self, manifests: list[Path], normaliser: Normaliser, labels: AlignmentReader | None = None,
        targets: TargetReader | None = None, cache_mb: int = 1500,
    ) -> None:  # fmt: skip
        """Index the cuts; those without labels, or targets where the set has no labels, are left out, counted and said.

        Args:
            targets: of cuts of the set, not of all of them where it has labels.
            cache_mb: features kept in memory; what is beyond is read from disk each time.

        Raises:
            UserError: no cut has labels or targets, or a cut's targets are of another length.
        """
        self.normaliser, self.labels, self.targets = normaliser, labels, targets
        self.described = targets and targets.describe
        self.cache: dict[int, np.ndarray] = {}
        self.cache_left = cache_mb * 2**20
        everything = [cut for manifest in manifests for cut in _read(manifest)]
        known, what, stage = (labels, "labels", 3) if labels is not None else (targets, "targets", 6)
        self.cuts = [c for c in everything if c.id in known and stacked_length(c.num_frames) > 0]
        names = ", ".join(str(m) for m in manifests)
        if missing := len(everything) - len(self.cuts):
            log.warning("%s: %d of %d cuts have no %s and are left out", names, missing, len(everything), what)
        if not self.cuts:
            raise UserError(f"{names}: no cut has {what}. Was stage {stage} run on these manifests?")
        if targets is not None:  # now, not hours later
            targets.check(self.cuts)
        # A cut that comes twice is heard in two ways (steps/augment.py).
        self.original_seconds = sum({c.id: c.duration for c in self.cuts if not is_perturbed(c)}.values())

    @classmethod
    def labelled(cls, manifest: Path, labels: Path, targets: TargetReader | None = None) -> SpeechData:
        """A manifest with the senone labels that a stage wrote for it (`labels`/<name of the manifest>)."""
        normaliser = Normaliser.load(manifest.parent / "normaliser.json")
        return cls([manifest], normaliser, AlignmentReader(labels / set_name(manifest)), targets)

    def order(
        self, max_frames: int, seed: int | None, part: int = 0, parts: int = 1, chunk: int = 0
    ) -> list[list[Span]]:
        """As of `Speech`; a part is every `parts`-th cut."""
        rng, numbers = np.random.default_rng(seed), range(part, len(self.cuts), parts)
        spans = spans_of(((n, stacked_length(self.cuts[n].num_frames)) for n in numbers), chunk, rng)
        return batches_of(spans, max_frames, rng, seed is not None)

    def utterance(self, number: int) -> Utterance:
        """As of `Speech`."""
        cut, logmels, labels, targets = self.cuts[number], self._normalised(number), None, None
        if self.labels is not None and cut.id in self.labels:
            labels = self.labels.read(cut.id, stacked_length(len(logmels)))[:, 0]
        if self.targets is not None and cut.id in self.targets:
            targets = self.targets
        return Utterance(cut.id, logmels, labels, targets)

    def labels_of_all(self) -> Iterator[np.ndarray]:
        """As of `Speech`."""
        return (self.labels.read(cut.id, stacked_length(cut.num_frames))[:, 0] for cut in self.cuts)

    def is_taught(self) -> bool:
        """As of `Speech`."""
        return self.targets is not None and any(cut.id in self.targets for cut in self.cuts)

    def _normalised(self, number: int) -> np.ndarray:
        """(10 ms frames, mels) float16 of a cut."""
        if number in self.cache:
            return self.cache[number]
        values = self.normaliser(load_logmel(self.cuts[number])).astype(np.float16)
        if self.cache_left > values.nbytes:
            self.cache[number] = values
            self.cache_left -= values.nbytes
        return values
