"""Samples of WAV files, of a stream, or of a microphone, a tenth of a second at a time."""

from __future__ import annotations

import queue
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from .errors import DeviceError
from .live import WAIT, Interrupt
from .wav import OPENING, PCM, Source, is_wav, read_header

SECONDS = 0.1
_WAITING = 60.0
"""seconds of a microphone's audio that may queue up for the search; what arrives beyond them is lost, and counted"""
SILENT = 10.0
"""least seconds between two warnings of lost audio"""
STANDARD_INPUT = "standard input"

_OTHERS = {
    b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3": "MP3", b"RF64": "RF64", b"BW64": "BW64", b"RIFX": "RIFX",
    b"riff": "Wave64", b"FORM": "AIFF", b"caff": "CAF", b".snd": "AU", b"NIST": "SPHERE", b"\x1aE\xdf\xa3": "Matroska",
}  # fmt: skip
"""formats other than WAV, by their first bytes: samples without a header do not begin with these"""


def wav_files(paths: list[Path]) -> list[Path]:
    """Return the files among the paths, and the WAV files below each folder, sorted.

    Raises:
        DeviceError: a path does not exist, or a folder has no WAV file.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DeviceError(f"{path}: no such file or folder")
        found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix.lower() == ".wav")
        if not found:
            raise DeviceError(f"{path}: no WAV file below it")
        files += found
    return files


class Recording:
    """Blocks of audio, (length,) float32 in ±1. An error after the first block is kept for `close`."""

    def __init__(self, name: str, blocks: Iterable[np.ndarray], interrupt: Interrupt | None = None) -> None:
        self._name, self._blocks, self._interrupt = name, blocks, interrupt
        self._samples = self._clipped = 0
        self._fault: DeviceError | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        try:
            for block in self._blocks:
                self._samples += len(block)
                self._clipped += int((np.abs(block) >= 32767 / 32768).sum())
                yield block
        except DeviceError as error:
            if not self._samples:
                raise
            self._fault = error

    def close(self) -> None:
        """Warn on stderr of clipping, which makes words less certain; raise a kept error.

        Raises:
            DeviceError: the blocks ended with it, and no interrupt had come.
        """
        if self._clipped > self._samples / 1000:
            share = 100 * self._clipped / self._samples
            print(f"warning: {self._name}: {share:.1f} % of the samples are at the limit: clipped", file=sys.stderr)
        if self._fault and not (self._interrupt and self._interrupt.came):  # an interrupt explains a cut
            raise self._fault


def file_blocks(path: Path, rate: int, channel: int | None = None) -> Iterator[np.ndarray]:
    """Yield the samples of a WAV file in blocks, (length,) float32 in ±1 each.

    Raises:
        DeviceError: the file cannot be read, is cut off, or is not in the format that the network takes.
    """
    try:
        with path.open("rb") as stream:
            opening = stream.read(OPENING)
            if not is_wav(opening):
                raise DeviceError(f"{path}: {_strange(opening) or 'not WAV audio'}. {_ffmpeg(path, rate)}")
            yield from _wave_blocks(stream, opening, path, rate, channel)
    except OSError as error:
        raise DeviceError(f"{path}: cannot be read ({error})") from None


def stream_blocks(stream: Source, rate: int, channel: int | None = None) -> Iterator[np.ndarray]:
    """Yield the samples of standard input (WAV, or 16-bit without a header) in blocks, (length,) float32 in ±1 each.

    Raises:
        DeviceError: the audio is cut off, or is not in the format that the network takes.
    """
    opening = stream.read(OPENING)
    if opening[:4] == b"RIFF" and is_wav(opening):
        yield from _wave_blocks(stream, opening, None, rate, channel)
        return
    if strange := _strange(opening):
        raise DeviceError(f"{STANDARD_INPUT}: {strange}. {_ffmpeg(None, rate)}")
    if channel:
        raise DeviceError(f"{STANDARD_INPUT}: without a WAV header it has channel 0 alone, not {channel}")
    size = 2 * round(SECONDS * rate)
    data = opening + stream.read(size - len(opening))
    while data:
        yield _samples(data)
        data = stream.read(size)


def microphone_blocks(
    rate: int, interrupt: Interrupt, warn: Callable[[str], None], device: str | None = None
) -> Iterator[np.ndarray]:
    """Yield a microphone's samples in blocks, (length,) float32 in ±1 each, until an interrupt.

    Args:
        warn: called now and then with a message on audio that was lost.
        device: name of the microphone; None: the default one.

    Raises:
        DeviceError: there is no microphone, or no package to record with.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: PortAudio is missing
        raise DeviceError(
            f"no microphone can be heard ({error}): install the package sounddevice, or pipe audio in, as in "
            f"arecord -q -t raw -f S16_LE -r {rate} -c 1 | understudy-listen -"
        ) from None
    arrived = _Arrived(warn)
    try:
        with sounddevice.InputStream(
            samplerate=rate, channels=1, dtype="float32", blocksize=round(SECONDS * rate), device=device,
            callback=arrived,
        ):  # fmt: skip
            yield from arrived.blocks(interrupt)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise DeviceError(f"the microphone cannot be heard ({error})") from None


class _Arrived:
    """Queue of blocks from a microphone's thread, which must not wait, to the thread that searches them."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._queue: queue.Queue[np.ndarray] = queue.Queue(round(_WAITING / SECONDS))
        self._warn = warn
        self._lost = self._told = 0
        self._next = 0.0

    def __call__(self, data: np.ndarray, frames: int, when: object, status: object) -> None:
        """Take in a block (frames, 1); a true status means that audio was lost before it."""
        self._lost += bool(status)
        try:
            self._queue.put_nowait(data[:, 0].copy())
        except queue.Full:
            self._lost += 1

    def blocks(self, interrupt: Interrupt) -> Iterator[np.ndarray]:
        """Yield blocks as they arrive; after an interrupt, those that are still queued."""
        while not interrupt.came or not self._queue.empty():
            try:
                block = self._queue.get(timeout=WAIT)
            except queue.Empty:
                continue
            if time.monotonic() >= self._next:
                self._tell()
            yield block
        self._tell()

    def _tell(self) -> None:
        lost = self._lost - self._told
        if lost:
            self._warn(f"microphone: audio was lost {lost} times: the machine had no time to take it")
            self._told, self._next = self._told + lost, time.monotonic() + SILENT


def _wave_blocks(
    stream: Source, opening: bytes, path: Path | None, rate: int, channel: int | None
) -> Iterator[np.ndarray]:
    """Yield blocks of a WAV file, or of standard input if `path` is None, whose first bytes have been read."""
    name = str(path or STANDARD_INPUT)
    header = read_header(stream, opening, name)
    channels = header.channels
    if (header.rate, header.bits, header.kind) != (rate, 16, PCM):
        raise DeviceError(f"{name}: {header}; the network hears {rate} Hz, 16 bits. {_sox(path, rate)}")
    if channel is None and channels > 1:
        raise DeviceError(f"{name}: {channels} channels. Say which one to hear: --channel 0 to {channels - 1}.")
    if not 0 <= (channel or 0) < channels:
        raise DeviceError(f"{name}: has channels 0 to {channels - 1}, not {channel}")
    heard, size = 0, round(SECONDS * rate)
    # What follows the samples that the header announces is not audio.
    while wanted := size if header.frames is None else min(size, header.frames - heard):
        samples = _samples(stream.read(2 * channels * wanted))
        frames = samples[: len(samples) // channels * channels].reshape(-1, channels)
        heard += len(frames)
        if len(frames):
            yield np.ascontiguousarray(frames[:, channel or 0])
        if len(frames) < wanted:
            break
    if header.frames and heard < header.frames:
        raise DeviceError(f"{name}: cut off, {heard} of {header.frames} samples. What was there has been heard.")


def _samples(data: bytes) -> np.ndarray:
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)


def _strange(opening: bytes) -> str | None:
    """Return a message on audio of another format that its first bytes give away, or None."""
    if opening[:4] == b"RIFF":
        return "not WAV audio, though it begins as such"
    for begins, known in _OTHERS.items():
        if opening.startswith(begins):
            return f"{known}, not WAV audio"
    return None


def _sox(path: Path | None, rate: int) -> str:
    how = f"-r {rate} -b 16 -e signed-integer"
    way = f"{shlex.quote(str(path))} {how} converted.wav" if path else f"-t wav - {how} -c 1 -t wav -"
    return f"Convert it: sox {way}"


def _ffmpeg(path: Path | None, rate: int) -> str:
    """Return advice to convert with ffmpeg, for formats that sox may not read."""
    how = f"-ar {rate} -c:a pcm_s16le"
    way = f"{shlex.quote(str(path))} {how} converted.wav" if path else f"- {how} -ac 1 -f wav -"
    return f"Convert it: ffmpeg -i {way}"
