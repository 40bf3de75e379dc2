"""Where speech is in long recordings: a voice-activity detector's probabilities, kept beside the audio."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soundfile
from numpy.lib.stride_tricks import sliding_window_view

from understudy.corpus.audio import SAMPLE_RATE
from understudy.corpus.levels import on_another_scale
from understudy.intake.convert import safe_name
from understudy.step import UserError, atomic_path, log

if TYPE_CHECKING:
    from understudy.parallel.workers import Workers

WINDOW = 512
"""Samples of each probability: the detector's own"""
_PACKAGE = "silero-vad"
_CONTEXT = 64
"""Samples before each window that it hears too"""
_STATE = (1, 1, 128)
_BLOCK = 2048 * WINDOW
"""Samples read at a time: a minute"""
_TASK = 1800.0
"""Seconds of audio that a process gets at once, if recordings are shorter; fewer in all are not worth a process"""
_PATIENCE = 60.0
"""Seconds between words on how far it is"""


class Stretch(NamedTuple):
    """A stretch of audio that is ready: a file at 16 kHz with one channel."""

    name: str
    path: Path
    start: int
    """in samples, as `stop`"""
    stop: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.stop - self.start) / SAMPLE_RATE


def detector_version() -> str | None:
    """That of the package; None: it is not installed."""
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Listener:
    """Writes the probability that each window of some stretches is speech; a file of these that is there is taken."""

    folder: Path

    def __call__(self, some: list[Stretch]) -> list[Path | str]:
        """The files, .npy of float16 (windows,); a sentence where a stretch cannot be read."""
        return [self._tried(stretch) for stretch in some]

    def _tried(self, stretch: Stretch) -> Path | str:
        kept = self.folder / f"{safe_name(stretch.name)}-{_made_of(stretch)}.speech.npy"
        try:
            if not kept.exists():
                heard = probabilities(stretch)
                with atomic_path(kept) as partial:
                    np.save(partial, heard.astype(np.float16))
        except UserError as error:
            return str(error)
        return kept


def listen(stretches: list[Stretch], folder: Path, workers: Workers) -> Iterator[Path | str]:
    """What a `Listener` finds in each, in their order; says how far it is. Raises UserError without the package."""
    _detector()  # a fault of the environment is told here, not by every process
    total, done, told = sum(one.seconds for one in stretches), 0.0, time.monotonic()
    tasks, work = _tasks(stretches), Listener(folder)
    found = map(work, tasks) if total <= _TASK else workers.map(work, tasks, "stretches of audio")
    for stretch, one in zip(stretches, chain.from_iterable(found)):
        done += stretch.seconds
        if time.monotonic() - told > _PATIENCE:
            log.info("speech was looked for in %.1f of %.1f h", done / 3600, total / 3600)
            told = time.monotonic()
        yield one


def probabilities(stretch: Stretch) -> np.ndarray:
    """That each window of 32 ms is speech, (windows,) float32; the last window may be shorter.

    The audio is read in blocks, so that hours of it need not fit into memory. The detector remembers for many seconds,
    so that its state goes from block to block; the package's own loop does the same with all of a signal at once.

    Raises:
        UserError: it cannot be read, or the detector is not installed.
    """
    session, found = _detector().session, [np.zeros(0, np.float32)]
    context, hidden, cell = (np.zeros(shape, np.float32) for shape in (_CONTEXT, _STATE, _STATE))
    for block in _blocks(stretch):
        heard = np.concatenate([context, block])
        windows = sliding_window_view(heard, _CONTEXT + WINDOW)[::WINDOW]
        values, hidden, cell = session.run(["speech_probs", "hn", "cn"], {"input": windows, "h": hidden, "c": cell})
        found.append(values.reshape(-1))
        context = heard[-_CONTEXT:]
    return np.concatenate(found)


def _blocks(stretch: Stretch) -> Iterator[np.ndarray]:
    """Samples, float32, of whole windows: the last is filled up with zeros."""
    try:
        for block in soundfile.blocks(stretch.path, _BLOCK, start=stretch.start, stop=stretch.stop, dtype="float32"):
            if not np.isfinite(block).all():
                raise UserError(f"{stretch.path}: holds samples that are not numbers")
            if loud := on_another_scale(block):
                raise UserError(f"{stretch.path}: {loud}")
            yield np.pad(block, (0, -len(block) % WINDOW))
    except (OSError, soundfile.LibsndfileError) as error:
        raise UserError(f"{stretch.path}: cannot be read as audio ({error})") from None


@lru_cache(1)
def _detector() -> Any:
    """Of the package. Raises UserError where it is not installed."""
    import torch

    threads = torch.get_num_threads()
    try:
        from silero_vad import load_silero_vad
    except ImportError:
        raise UserError(
            f"{_PACKAGE}, which finds speech in long recordings without transcripts, is not installed. "
            "utils/setup.sh brings it; or have such recordings stay whole: --cut.longest null."
        ) from None
    finally:
        torch.set_num_threads(threads)  # the package sets them to one, for the whole process
    return load_silero_vad(sequence=True)


def _tasks(stretches: Iterable[Stretch]) -> Iterator[list[Stretch]]:
    """The same in groups, each of about as much audio, or of one stretch."""
    group: list[Stretch] = []
    for stretch in stretches:
        if group and sum(one.seconds for one in group) + stretch.seconds > _TASK:
            yield group
            group = []
        group.append(stretch)
    if group:
        yield group


def _made_of(stretch: Stretch) -> str:
    """A digest of what the probabilities are made of."""
    stat = os.stat(stretch.path)
    facts = (str(stretch.path), stat.st_size, stat.st_mtime_ns, stretch.start, stretch.stop, detector_version())
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
