"""Samples of WAV files, of a stream, or of a microphone, a tenth of a second at a time."""

from __future__ import annotations

import io
import queue
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .faults import DeviceError

SECONDS = 0.1


def wav_files(paths: list[Path]) -> list[Path]:
    """The files themselves, and the WAV files below the folders, sorted.

    Raises:
        DeviceError: a path that is not there, or a folder without any.
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


def file_blocks(path: Path, rate: int, channel: int | None = None) -> Iterator[np.ndarray]:
    """Of a WAV file: (length,) float32 in ±1 each.

    Raises:
        DeviceError: it cannot be read, is cut off, or is not what the network hears.
    """
    try:
        with path.open("rb") as stream:
            yield from _wave_blocks(stream, str(path), rate, channel)
    except OSError as error:
        raise DeviceError(f"{path}: cannot be read ({error})") from None


def stream_blocks(stream: io.BufferedReader, name: str, rate: int) -> Iterator[np.ndarray]:
    """Of a stream of 16 bits a sample, with a WAV header or without.

    Raises:
        DeviceError: its header tells of another rate, of several channels or of other samples.
    """
    if stream.peek(4)[:4] == b"RIFF":
        yield from _wave_blocks(stream, name, rate, None, live=True)
        return
    size = 2 * round(SECONDS * rate)
    while data := stream.read(size):
        yield _samples(data)


def microphone_blocks(rate: int, device: str | None = None) -> Iterator[np.ndarray]:
    """Of the microphone, until it is interrupted.

    Raises:
        DeviceError: there is none, or no package to hear it with.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: PortAudio is missing
        raise DeviceError(
            f"no microphone can be heard ({error}): install the package sounddevice, or pipe audio in, as in "
            f"arecord -q -t raw -f S16_LE -r {rate} -c 1 | understudy-listen -"
        ) from None
    blocks: queue.Queue[np.ndarray] = queue.Queue()
    try:
        with sounddevice.InputStream(
            samplerate=rate, channels=1, dtype="float32", blocksize=round(SECONDS * rate), device=device,
            callback=lambda data, *_: blocks.put(data[:, 0].copy()),
        ):  # fmt: skip
            while True:
                yield blocks.get()
    except (sounddevice.PortAudioError, ValueError) as error:
        raise DeviceError(f"the microphone cannot be heard ({error})") from None


def _wave_blocks(
    stream: io.BufferedReader, name: str, rate: int, channel: int | None, live: bool = False
) -> Iterator[np.ndarray]:
    try:
        header = wave.open(stream)  # noqa: SIM115 (the stream is its owner's)
    except (wave.Error, EOFError) as error:
        raise DeviceError(f"{name}: not WAV audio of plain samples ({error})") from None
    channels, bits = header.getnchannels(), 8 * header.getsampwidth()
    if (header.getframerate(), bits) != (rate, 16):
        shape, found = f"-r {rate} -b 16", f"{header.getframerate()} Hz, {channels} channels, {bits} bits a sample"
        way = f"- {shape} -c 1 -t wav -" if live else f"{name} {shape} converted.wav"
        raise DeviceError(f"{name}: {found}; the network hears {rate} Hz, 16 bits. Convert it: sox {way}")
    if channel is None and channels > 1:
        raise DeviceError(f"{name}: {channels} channels. Say which one to hear: --channel 0 to {channels - 1}.")
    if not 0 <= (channel or 0) < channels:
        raise DeviceError(f"{name}: has channels 0 to {channels - 1}, not {channel}")
    size = round(SECONDS * rate)
    if live and channels == 1:  # a writer that cannot know says 0 or anything, and means all that comes
        while data := stream.read(2 * size):
            yield _samples(data)
        return
    heard = 0
    while data := header.readframes(size):
        samples = _samples(data)
        heard += len(samples) // channels
        yield np.ascontiguousarray(
            samples[: len(samples) // channels * channels].reshape(-1, channels)[:, channel or 0]
        )
    if heard < header.getnframes():
        raise DeviceError(f"{name}: cut off, {heard} of {header.getnframes()} samples. What was there has been heard.")


def _samples(data: bytes) -> np.ndarray:
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
