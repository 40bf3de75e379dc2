"""Extraction of an encoder's features of cuts, in batches of windows, one batch in memory at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lhotse.cut import Cut
from lhotse.utils import compute_num_frames

from understudy.encoders.encoder import Encoder
from understudy.encoders.loading import load_encoder
from understudy.encoders.options import EncoderOptions
from understudy.encoders.resample import at_our_frames
from understudy.encoders.weights import check_unchanged, digest_of, located
from understudy.encoders.windows import Window, windows_of
from understudy.features.extract import load_samples
from understudy.features.frames import FRAME_SHIFT, SAMPLE_RATE, STACKED_SHIFT, stacked_length
from understudy.features.kind import ENCODER, LOG_PROBABILITIES
from understudy.step import UserError, fingerprint

_RULE = 1
"""version of the rule that makes our features from an encoder's frames; it is part of the features' digest"""


@dataclass(frozen=True)
class EncoderExtractor:
    """The files and options that a process needs to make features; the model is loaded in the process.

    It holds the files' digest too: processes may outlive the step (--cluster.scheduler), and keep what they have
    loaded.
    """

    options: EncoderOptions
    max_seconds: float
    """seconds in a batch with its padding, at most; a longer window is a batch of its own"""
    shift: float = STACKED_SHIFT
    folder: Path = field(init=False)
    """folder of the model"""
    weights: str = field(init=False)
    """digest of the model's files"""

    def __post_init__(self) -> None:
        """Raise UserError where there is no such model."""
        object.__setattr__(self, "folder", located(self.options.model).absolute())
        object.__setattr__(self, "weights", digest_of(self.folder))

    @property
    def type(self) -> str:
        """See `Extractor`; a digest of all that the features depend on, and a readable name."""
        one = self.options
        depends = {"weights": self.weights, "layer": one.layer, "window": one.window, "context": one.context}
        layer = "last layer" if one.layer is None else f"layer {one.layer}"
        if one.head == "ctc":
            depends, layer = depends | {"head": one.head}, LOG_PROBABILITIES
        digest = fingerprint.digest({**depends, "pad": one.pad, "rule": _RULE})
        return f"{ENCODER}{digest}: {Path(one.model).resolve().name}, {layer}"

    def tick_power(self, frames: np.ndarray) -> int:
        """See `Extractor`; at most an eighth of the spread of nine channels in ten over the cut (our choice)."""
        spread = frames.std(0) if len(frames) > 1 else np.abs(frames[0])
        return int(np.clip(np.floor(np.log2(max(np.quantile(spread, 0.1) / 8, 2.0**-16))), -16, 16))

    def __call__(self, cuts: Sequence[Cut]) -> Iterator[tuple[int, np.ndarray]]:
        """See `Extractor`; cuts are taken by length, the shortest first."""
        encoder = _load(self)
        found: dict[int, list[np.ndarray]] = defaultdict(list)
        for batch in _side_by_side(self._pieces(cuts, encoder), encoder, int(self.max_seconds * SAMPLE_RATE)):
            rows = encoder([piece.samples for piece in batch])
            for (number, window, _, ends), one in zip(batch, rows, strict=True):
                place = window.first, window.last, window.begin
                found[number].append(at_our_frames(one, *place, encoder.middle, encoder.hop))
                if ends:
                    yield number, _finite(np.concatenate(found.pop(number)), cuts[number], self.folder)

    def _pieces(self, cuts: Sequence[Cut], encoder: Encoder) -> Iterator[_Piece]:
        """Yield the windows of all cuts, in the order in which they are computed."""
        longest = min(encoder.longest, int(self.options.window * SAMPLE_RATE))
        context = int(self.options.context * SAMPLE_RATE)
        for number in sorted(range(len(cuts)), key=lambda n: cuts[n].duration):
            samples = encoder.prepared(load_samples(cuts[number]))
            frames = frames_of(cuts[number])
            windows = windows_of(len(samples), frames, longest, context, encoder.hop)
            for window in windows:
                heard = samples[window.begin : window.end]
                missing = max(0, encoder.shortest - len(heard))
                yield _Piece(number, window, np.pad(heard, (0, missing)), window is windows[-1])


class _Piece(NamedTuple):
    number: int
    """number of the cut"""
    window: Window
    samples: np.ndarray
    ends: bool
    """whether it is the cut's last window"""


def frames_of(cut: Cut) -> int:
    """Return a cut's number of 30 ms frames, the same as of its log-mels.

    Raises:
        UserError: the cut is too short for a frame.
    """
    frames = stacked_length(compute_num_frames(cut.duration, FRAME_SHIFT, SAMPLE_RATE))
    if not frames:
        raise UserError(
            f"cut {cut.id}: lasts {1000 * cut.duration:g} ms, and a frame takes {1000 * STACKED_SHIFT:g}. Leave such "
            "cuts out in stage 0."
        )
    return frames


def _side_by_side(pieces: Iterable[_Piece], encoder: Encoder, most: int) -> Iterator[list[_Piece]]:
    """Yield batches of at most `most` samples with padding, in order; of one length if the encoder does not pad."""
    batch: list[_Piece] = []
    for piece in pieces:
        longest = max([encoder.padded, *(len(one.samples) for one in (*batch, piece))])
        alike = encoder.pads or not batch or len(batch[0].samples) == len(piece.samples)
        if batch and (not alike or longest * (len(batch) + 1) > most):
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def _finite(frames: np.ndarray, cut: Cut, folder: Path) -> np.ndarray:
    if not np.isfinite(frames).all():
        raise UserError(f"cut {cut.id}: {folder} makes features that are not finite numbers. Are its weights whole?")
    return frames


@lru_cache(1)
def _load(extractor: EncoderExtractor) -> Encoder:
    """Return this process's encoder, loaded once.

    Raises:
        UserError: the weights have changed since the step began.
    """
    check_unchanged(extractor.folder, extractor.weights, "features are made of it")
    return load_encoder(extractor.folder, extractor.options)
