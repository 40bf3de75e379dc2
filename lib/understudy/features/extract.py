"""Feature extraction by shard: flat memory, resumable, the same whatever the number of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from lhotse import CutSet, Features, LilcomChunkyWriter
from lhotse.cut import Cut
from lhotse.utils import fastcopy

from understudy.corpus import in_shards, perturbed, write_cuts
from understudy.corpus.levels import on_another_scale
from understudy.device.normalise import OnlineMean
from understudy.features.frames import FRAME_SHIFT, SAMPLE_RATE, WINDOW
from understudy.features.load import load_frames
from understudy.features.logmel import logmel
from understudy.features.normalise import Normaliser
from understudy.parallel.workers import Workers
from understudy.step import UserError, atomic_path, log

Alteration = Callable[[Cut, np.ndarray], np.ndarray]
"""A cut's samples, (length,) float32, to as many others."""


class Extractor(Protocol):
    """What makes features of cuts; it is sent to other processes."""

    @property
    def type(self) -> str:
        """Of the features, in their manifest."""

    @property
    def shift(self) -> float:
        """Seconds from one frame to the next."""

    def tick_power(self, frames: np.ndarray) -> int:
        """Binary logarithm of the step that (frames, channels) are rounded to when they are stored."""

    def __call__(self, cuts: Sequence[Cut]) -> Iterator[tuple[int, np.ndarray]]:
        """Of every cut its place among them and its (frames, channels) float32, in any order."""


@dataclass(frozen=True)
class LogmelExtractor:
    """Log-mels of one cut after the other."""

    backend: str
    altered: Alteration | None = None
    """what becomes of the audio before; it depends on the cut alone, or resuming gives other features"""
    shift: float = FRAME_SHIFT

    @property
    def type(self) -> str:
        """See `Extractor`."""
        return f"understudy-logmel-{self.backend}"

    def tick_power(self, frames: np.ndarray) -> int:
        """See `Extractor`: a thirty-second of a nat."""
        return -5

    def __call__(self, cuts: Sequence[Cut]) -> Iterator[tuple[int, np.ndarray]]:
        """See `Extractor`."""
        for number, cut in enumerate(cuts):
            samples = load_samples(cut)
            if len(samples) < WINDOW:
                way = "Leave such cuts out in stage 0."
                raise UserError(
                    f"cut {cut.id}: lasts {1000 * cut.duration:g} ms, and a frame takes {WINDOW // 16}. {way}"
                )
            yield number, logmel(self.altered(cut, samples) if self.altered else samples, self.backend)


def extract_set(
    cuts: Path, out: Path, name: str, speeds: list[float], shard_size: int, extractor: Extractor, workers: Workers
) -> None:
    """Extract features of one manifest to `out/<name>/` and write `out/<name>.jsonl.gz`.

    A shard is its features and its manifest; the manifest is written last, so what it names is whole.

    Args:
        speeds: one copy of each cut per speed; copies other than 1.0 carry `_sp<speed>` in their ids.
    """
    shards = out / name
    shards.mkdir(parents=True, exist_ok=True)
    tasks = ((shard, i, shards, speeds, extractor) for i, shard in enumerate(in_shards(cuts, shard_size)))
    made = list(workers.map(_extract_shard, tasks, f"{name}: shards"))
    write_cuts(out / f"{name}.jsonl.gz", (cut for shard in made for cut in CutSet.from_file(shard)))
    log.info("%s: features of %d shards at speeds %s", name, len(made), speeds)


def normaliser_of(manifest: Path, online: OnlineMean | None) -> Normaliser:
    """By mean and standard deviation over all frames of a manifest with features, in double precision."""
    total, square, count = np.zeros(()), np.zeros(()), 0
    for cut in CutSet.from_file(manifest):
        frames = load_frames(cut).astype(np.float64)
        total, square, count = total + frames.sum(0), square + (frames**2).sum(0), count + len(frames)
    if count == 0:
        raise UserError(f"{manifest}: no frames to normalise on")
    mean = total / count
    std = np.sqrt(np.maximum(square / count - mean**2, 1e-6))
    return Normaliser(mean.astype(np.float32), std.astype(np.float32), online)


def _extract_shard(task: tuple[list[Cut], int, Path, list[float], Extractor]) -> Path:
    cuts, index, folder, speeds, extractor = task
    manifest, features = folder / f"{index:05d}.jsonl.gz", folder / f"{index:05d}.lca"
    if manifest.exists() and features.exists():
        return manifest
    copies = [cut if speed == 1.0 else perturbed(cut, speed) for speed in speeds for cut in cuts]
    done: dict[int, Cut] = {}
    with atomic_path(features) as partial:
        with LilcomChunkyWriter(partial) as store:
            stored_as = Path(store.storage_path).name
            for number, frames in extractor(copies):
                done[number] = _stored(copies[number], frames, store, extractor)
        if stored_as != partial.name:
            raise UserError(f"{partial}: the feature writer chose another name, {stored_as}")
    for cut in done.values():
        cut.features.storage_path = str(features)
    write_cuts(manifest, (done[number] for number in range(len(copies))))
    return manifest


def _stored(cut: Cut, frames: np.ndarray, store: LilcomChunkyWriter, extractor: Extractor) -> Cut:
    """The cut with its features, once they are stored."""
    store.tick_power = extractor.tick_power(frames)
    cut = fastcopy(cut)  # the given cut is perturbed again for other speeds
    cut.features = Features(
        type=extractor.type, num_frames=len(frames), num_features=frames.shape[1],
        frame_shift=extractor.shift, sampling_rate=SAMPLE_RATE, start=cut.start, duration=cut.duration,
        storage_type=store.name, storage_path=str(store.storage_path), storage_key=store.write(cut.id, frames),
        recording_id=cut.recording.id, channels=0,
    )  # fmt: skip
    return cut


def load_samples(cut: Cut) -> np.ndarray:
    """Samples of a cut, (length,) float32.

    Raises:
        UserError: another rate, several channels, or audio that cannot be read.
    """
    if cut.sampling_rate != SAMPLE_RATE:
        way = "Resample it in stage 0: steps/prepare_corpus.py does."
        raise UserError(f"cut {cut.id}: {cut.sampling_rate} Hz, not {SAMPLE_RATE}. {way}")
    try:
        samples = cut.load_audio()
    except Exception as error:  # the reader's errors are many; all mean that this file cannot be read
        raise UserError(f"cut {cut.id}: cannot read {cut.recording.sources[0].source} ({error})") from error
    if samples.shape[0] != 1:
        raise UserError(f"cut {cut.id}: {samples.shape[0]} channels, not one. Choose a channel in stage 0.")
    if not np.isfinite(samples).all():
        raise UserError(f"cut {cut.id}: samples that are not numbers in {cut.recording.sources[0].source}")
    if loud := on_another_scale(samples[0]):
        raise UserError(f"cut {cut.id}: {loud}")
    return samples[0]
