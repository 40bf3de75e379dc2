"""Batches: spans of utterances of like length, padded to one length, with their labels or soft targets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch


@dataclass
class Batch:
    """Utterances padded to one length; targets of all frames that have to be learnt, in a row."""

    ids: list[str]
    """cut of each"""
    features: torch.Tensor
    """(batch, frames, inputs)"""
    lengths: torch.Tensor
    """(batch,)"""
    labels: torch.Tensor | None
    """(judged frames,) senones"""
    senones: torch.Tensor | None
    """(taught frames, k)"""
    log_posteriors: torch.Tensor | None
    """(taught frames, k)"""
    has_soft_targets: torch.Tensor | None = None
    """(judged frames,) whether a frame has soft targets; None: all have, or none"""
    judged: torch.Tensor | None = None
    """(batch, 2): first frame that has a target, and the one after the last; what is around them is only heard. None:
    all frames have one"""

    @property
    def known_labels(self) -> torch.Tensor:
        """`labels`, where there have to be some. Raises ValueError otherwise."""
        if self.labels is None:
            raise ValueError("a batch of speech without labels has nothing that tells what is right")
        return self.labels

    @property
    def frames(self) -> int:
        """Frames that have a target."""
        return int(self.lengths.sum() if self.judged is None else (self.judged[:, 1] - self.judged[:, 0]).sum())

    def rows(self, padded: torch.Tensor) -> torch.Tensor:
        """(batch, frames, …) to (judged frames, …): padding, and what is only heard, is left out."""
        t = torch.arange(padded.shape[1])[None]
        if self.judged is None:
            mask = t < self.lengths[:, None]
        else:
            mask = (self.judged[:, :1] <= t) & (t < self.judged[:, 1:])
        return padded[mask.to(padded.device)]


class Span(NamedTuple):
    """Stacked frames `start` to `stop` of the cut with this number."""

    number: int
    start: int
    stop: int


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


def _bounds(frames: int, chunk: int, rng: np.random.Generator) -> list[int]:
    """Where an utterance is cut: at every `chunk` frames from a random start, no span shorter than half of that."""
    if chunk == 0 or frames <= chunk:
        return [0, frames]
    first, half = int(rng.integers(chunk)), chunk // 2
    return [0, *(b for b in range(first, frames, chunk) if half <= b <= frames - half), frames]
