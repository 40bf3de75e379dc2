"""The header of WAV audio: what its samples are, and how many."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

from .errors import DeviceError

PCM = 1
OPENING = 12
"""bytes that identify WAV audio"""
_EXTENSIBLE, _OF_MICROSOFT = 0xFFFE, bytes.fromhex("000000001000800000aa00389b71")
_NO_LENGTH = 0x7FFF0000
"""lengths from here on are unknown: a program that writes to a pipe states 0, or 2 or 4 GiB, or a little less"""


class Source(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes; fewer at the end alone."""


@dataclass(frozen=True)
class Header:
    """What the header of WAV audio states."""

    rate: int
    """samples a second"""
    channels: int
    bits: int
    """bits of a sample"""
    kind: int
    """the samples' format: `PCM`, or another of WAV's numbers"""
    frames: int | None
    """samples of each channel; None: the writer did not know, and all that comes is audio"""

    def __str__(self) -> str:
        kind = {PCM: "", 3: " in floating point"}.get(self.kind, f" of kind {self.kind}")
        return f"{self.rate} Hz, {self.channels} channels, {self.bits} bits a sample{kind}"


def is_wav(opening: bytes) -> bool:
    """Whether the first `OPENING` bytes, or as many as there are, are those of WAV audio."""
    return opening[:4] == b"RIFF"[: len(opening)] and opening[8:12] == b"WAVE"[: max(0, len(opening) - 8)]


def read_header(stream: Source, opening: bytes, name: str) -> Header:
    """Read the header after its first `OPENING` bytes, up to the first sample.

    Args:
        name: what the audio is called in errors.

    Raises:
        DeviceError: the header is cut off or damaged.
    """
    if len(opening) < OPENING:
        raise _cut(name)
    described = None
    while True:
        chunk, length = struct.unpack("<4sI", _whole(stream, 8, name))
        if chunk == b"data":
            break
        if chunk == b"fmt " and 16 <= length < 1000:
            described = _whole(stream, length, name)
        else:
            _skip(stream, length, name)
        _whole(stream, length % 2, name)  # chunks have even lengths
    if described is None:
        raise DeviceError(f"{name}: damaged: its header does not tell what its samples are. Copy or record it again.")
    return _header(described, length, name)


def _header(described: bytes, length: int, name: str) -> Header:
    kind, channels, rate, _, step, bits = struct.unpack("<HHIIHH", described[:16])
    if kind == _EXTENSIBLE and described[26:40] == _OF_MICROSOFT:
        kind = int.from_bytes(described[24:26], "little")
    if not channels or not step or step % channels:
        raise DeviceError(
            f"{name}: damaged: its header tells of {channels} channels in {step} bytes. Copy or record it again."
        )
    bits = 8 * step // channels if kind == PCM else bits  # an extensible header states fewer where some are not used
    return Header(rate, channels, bits, kind, None if length == 0 or length >= _NO_LENGTH else length // step)


def _whole(stream: Source, size: int, name: str) -> bytes:
    data = stream.read(size) if size else b""
    if len(data) < size:
        raise _cut(name)
    return data


def _cut(name: str) -> DeviceError:
    return DeviceError(f"{name}: cut off within its header. Copy or record it again.")


def _skip(stream: Source, size: int, name: str) -> None:
    """Skip bytes a piece at a time: a damaged length may be gigabytes."""
    for at in range(0, size, 1 << 16):
        _whole(stream, min(1 << 16, size - at), name)
