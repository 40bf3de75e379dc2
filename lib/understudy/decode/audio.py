"""Audio as a recogniser wants it: one channel at 16 kHz, in pieces that a search can hold, or as it arrives."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from torchaudio.functional import resample

from understudy.features.frames import SAMPLE_RATE
from understudy.stage import UserError

SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3", ".sph")
_FRAME = SAMPLE_RATE // 100


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
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise UserError(f"{path}: cannot be read as audio ({error})") from None
    if not np.isfinite(samples).all():
        raise UserError(f"{path}: holds samples that are not numbers")
    channels = samples.shape[1]
    if channel is None and channels > 1:
        raise UserError(f"{path}: {channels} channels. Say which one to hear: --channel 0 to {channels - 1}.")
    if not 0 <= (channel or 0) < channels:
        raise UserError(f"{path}: has channels 0 to {channels - 1}, not {channel}")
    mono = np.ascontiguousarray(samples[:, channel or 0])
    if rate == SAMPLE_RATE:
        return mono
    return resample(torch.from_numpy(mono), rate, SAMPLE_RATE).numpy()


def blocks(stream: io.BufferedReader, seconds: float = 0.1) -> Iterator[np.ndarray]:
    """Samples of a stream of 16 bits a sample, with a WAV header or without, as (length,) float32 in ±1.

    Raises:
        UserError: its header tells of another rate, of several channels or of other samples.
    """
    read = stream.read
    if stream.peek(4)[:4] == b"RIFF":
        try:
            header = wave.open(stream)  # noqa: SIM115 (the stream is its owner's)
        except (wave.Error, EOFError) as error:
            raise UserError(f"standard input: not a WAV stream of plain samples ({error})") from None
        found = (header.getframerate(), header.getnchannels(), header.getsampwidth())
        if found != (SAMPLE_RATE, 1, 2):
            raise UserError(
                f"standard input: {found[0]} Hz, {found[1]} channels, {8 * found[2]} bits; it has to be {SAMPLE_RATE} "
                "Hz, one channel, 16 bits. Convert it on its way: sox - -r 16000 -c 1 -b 16 -t wav -"
            )
        if header.getnframes():  # a writer that cannot know may say 0, and means all that comes
            read = lambda size: header.readframes(size // 2)  # noqa: E731
    size = 2 * round(seconds * SAMPLE_RATE)
    while data := read(size):
        yield np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768.0


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
