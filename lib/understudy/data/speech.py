"""Speech to learn from, wherever it is kept; the order of its batches depends on the seed and the pass alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from understudy.data.batches import Batch, Span
from understudy.data.channel import ChannelOptions
from understudy.data.spec_augment import SpecAugment
from understudy.data.vocal_tract import VocalTractOptions
from understudy.features import Kind, Normaliser, stack

_CHANNEL, _VOICE = 2, 3  # in a seed: others than that of the utterance's masks, and of its dropout


class SoftTargets(Protocol):
    """What has the soft targets of cuts."""

    def read(self, cut_id: str, frames: int, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See `TargetReader`."""


class LoadedCut(NamedTuple):
    """A cut, to be learnt from."""

    id: str
    frames: np.ndarray
    """(stored frames, channels) float32, not normalised: of log-mels 10 ms each"""
    labels: np.ndarray | None
    """(stacked frames,) senones"""
    targets: SoftTargets | None
    """that has its soft targets"""


class Speech(ABC):
    """Cuts with senone labels, soft targets or both, wherever they are kept."""

    original_seconds: float
    """of speech, without copies at other speeds; a cut that comes twice is one piece of speech"""
    described: dict[str, Any] | None
    """what the soft targets are of"""
    normaliser: Normaliser
    """of its features"""
    kind: Kind
    """what these are"""
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
    def utterance(self, number: int) -> LoadedCut:
        """The cut with this number."""

    @abstractmethod
    def another(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Stored frames (frames, channels) of a cut at random, to be heard beneath the cut with this number."""

    @abstractmethod
    def labels_of_all(self) -> Iterator[np.ndarray]:
        """Senones (stacked frames,) of every cut."""

    def any_soft_targets(self) -> bool:
        """Whether any cut has soft targets."""
        return self.described is not None

    def batch(
        self, spans: list[Span], augment: SpecAugment | None, seed: list[int], channel: ChannelOptions | None = None,
        around: tuple[int, int] = (0, 0), voice: VocalTractOptions | None = None,
    ) -> Batch:  # fmt: skip
        """Load one batch; the augmentation of a span depends on `seed` and the span alone.

        Args:
            around: frames before and after a span that are heard besides, where the utterance has them.
        """
        ids, features, judged, labels, senones, values, taught = [], [], [], [], [], [], []
        by = self.kind.stack
        for number, start, stop in spans:
            one, rng = self.utterance(number), np.random.default_rng([*seed, number, start])
            offset, length = int(rng.integers(0, by)) if augment and augment.shift else 0, len(one.frames) // by
            first, last = max(0, start - around[0]), min(length, stop + around[1])
            # From the utterance's beginning, as the mean that is taken off is of all that was heard before.
            frames = one.frames[: by * last + offset]
            if voice:
                frames = voice.heard(frames, np.random.default_rng([*seed, number, start, _VOICE]))
            if channel:
                drawn = np.random.default_rng([*seed, number, start, _CHANNEL])
                frames = channel.heard(frames, drawn, partial(self.another, number, drawn))
            heard = stack(self.normaliser(frames), offset, first, last, by)
            judged.append((start - first, stop - first))
            if one.labels is not None:
                labels.append(torch.from_numpy(one.labels[start:stop].astype(np.int64)))
            if one.targets is not None:
                kept, log_posteriors = one.targets.read(one.id, length, start, stop)
                senones.append(torch.from_numpy(kept))
                values.append(torch.from_numpy(log_posteriors))
            ids.append(one.id)
            taught.append(torch.full((stop - start,), one.targets is not None))
            features.append(torch.from_numpy(augment.mask(heard, rng, by) if augment else heard))
        return Batch(
            ids,
            pad_sequence(features, batch_first=True),
            torch.tensor([len(f) for f in features]),
            torch.cat(labels) if labels else None,
            torch.cat(senones) if senones else None,
            torch.cat(values) if values else None,
            torch.cat(taught) if 0 < len(senones) < len(spans) else None,
            torch.tensor(judged) if any(around) else None,
        )
