"""Audio as a recogniser wants it: one channel at 16 kHz, in pieces that a search can hold, or as it arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil, gcd
from pathlib import Path

import numpy as np
import soundfile
import torch
from torchaudio.functional import resample

from understudy.device.audio import STANDARD_INPUT, Recording, stream_blocks
from understudy.device.faults import DeviceError
from understudy.device.live import Interrupt, StandardInput
from understudy.features.frames import SAMPLE_RATE
from understudy.stage import UserError

SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3", ".sph")
_FRAME = SAMPLE_RATE // 100
_BLOCK = 1 << 20


def audio_files(paths: list[Path]) -> list[Path]:
    """The files themselves, and those with a suffix of audio below the folders, sorted.

    Raises:
        UserError: a path that is not there, or a folder without audio.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
        found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        if not found:
            raise UserError(f"{path}: no audio below it ({', '.join(SUFFIXES)})")
        files += found
    return files


def read_audio(path: Path, channel: int | None = None) -> np.ndarray:
    """Samples of a file, (length,) float32 in ±1, resampled to 16 kHz.

    Raises:
        UserError: it cannot be read, or has several channels and none is chosen.
    """
    try:
        with soundfile.SoundFile(path) as file:
            blocks = _mono(path, file, _channel(path, file.channels, channel))
            if file.samplerate != SAMPLE_RATE:
                blocks = resampled(blocks, file.samplerate)
            return np.concatenate([np.zeros(0, np.float32), *blocks])
    except (OSError, soundfile.LibsndfileError) as error:
        raise UserError(f"{path}: cannot be read as audio ({error})") from None


def _channel(path: Path, channels: int, channel: int | None) -> int:
    """The one to hear. Raises UserError where it is not there, or none is chosen of several."""
    if channel is None and channels > 1:
        raise UserError(f"{path}: {channels} channels. Say which one to hear: --channel 0 to {channels - 1}.")
    if not 0 <= (channel or 0) < channels:
        raise UserError(f"{path}: has channels 0 to {channels - 1}, not {channel}")
    return channel or 0


def _mono(path: Path, file: soundfile.SoundFile, channel: int) -> Iterator[np.ndarray]:
    """Its samples in blocks, so that hours of several channels at a high rate need not fit into memory."""
    for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
        if not np.isfinite(block).all():
            raise UserError(f"{path}: holds samples that are not numbers")
        yield np.ascontiguousarray(block[:, channel])


def resampled(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """The blocks of a signal at another rate, float32, at 16 kHz: what torchaudio makes of the whole signal at once.

    Each stretch is resampled with so much of its past and its future that its own samples do not see where it ends.
    """
    common = gcd(rate, SAMPLE_RATE)
    old, new = rate // common, SAMPLE_RATE // common
    around = old * (2 + ceil(8 / min(old, new)))  # more than the filter spans (six zeros of a sinc), in whole periods
    held, past = np.zeros(0, np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        ready = (len(held) - around) // old * old
        if ready - past < around:
            continue
        yield _resample(held[: ready + around], rate)[past // old * new : ready // old * new]
        held, past = held[ready - around :], around
    if len(held):
        yield _resample(held, rate)[past // old * new :]


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    return resample(torch.from_numpy(samples), rate, SAMPLE_RATE).numpy()


@contextmanager
def standard_input(channel: int | None = None) -> Iterator[Recording]:
    """Samples of standard input, with a WAV header or without, in blocks: (length,) float32 in ±1 each.

    SIGINT and SIGTERM end them, and nothing else.

    Raises:
        UserError: its header tells of another rate, of several channels or of other samples; it is cut off, which is
            told when what there was has been heard.
    """
    try:
        with Interrupt() as interrupt:
            blocks = stream_blocks(StandardInput(interrupt), SAMPLE_RATE, channel)
            recording = Recording(STANDARD_INPUT, blocks, interrupt)
            yield recording
            recording.close()
    except DeviceError as error:
        raise UserError(str(error)) from None


def pieces(samples: np.ndarray, longest: float = 30.0) -> list[tuple[int, int]]:
    """First and last sample of pieces of at most `longest` seconds, cut where it is quietest (our choice).

    A cut lies in the last third of what a piece may hold, at the middle of its quietest 300 ms.
    """
    limit, cuts = int(longest * SAMPLE_RATE), [0]
    while len(samples) - cuts[-1] > limit:
        begin = cuts[-1] + 2 * limit // 3
        window = samples[begin : cuts[-1] + limit]
        frames = window[: len(window) // _FRAME * _FRAME].reshape(-1, _FRAME)
        energy = np.convolve((frames.astype(np.float64) ** 2).sum(1), np.ones(30), mode="valid")
        cuts.append(begin + (int(energy.argmin()) + 15) * _FRAME)
    return [(a, b) for a, b in zip(cuts, [*cuts[1:], len(samples)]) if b > a]
