"""A shard of soft targets: blocks one after the other, then an index that tells where each cut is.

It is written in one go and read in any order; every part has a checksum. docs/targets.md has it byte by byte.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

from understudy.step import UserError, atomic_path, log, to_json
from understudy.targets.codec import VERSION, Block, join, pack, unpack

MAGIC = b"USTGT\x00\x00" + bytes([VERSION])
"""the last byte is the version"""
_READABLE = range(1, VERSION + 1)
_END = struct.Struct("<QQI8s")  # where the index is, its length and CRC-32, the magic again
_FRAMES = 4096  # of a block, at least, but for the last: what is decompressed to read one cut


class Place(NamedTuple):
    """Where a cut's targets are."""

    block: int
    begin: int
    """frame of the block"""
    frames: int


def write_shard(
    path: Path, cuts: Iterable[tuple[str, Block]], describe: dict[str, Any], last: Callable[[], None] = lambda: None
) -> None:
    """Write cuts by id, atomically.

    Args:
        last: called when all is written and has not its name yet: what this writes is there if the shard is.
    """
    index: dict[str, Any] = {"describe": describe, "blocks": [], "cuts": []}
    waiting: list[Block] = []
    with atomic_path(path) as partial, partial.open("wb") as file:
        file.write(MAGIC)

        def flush() -> None:
            block = join(waiting)
            planes = pack(block)
            data = b"".join(planes)
            index["blocks"].append([file.tell(), zlib.crc32(data), len(block), len(block.senones), *map(len, planes)])
            file.write(data)
            waiting.clear()

        for cut, block in cuts:
            index["cuts"].append([cut, len(block)])
            waiting.append(block)
            if sum(map(len, waiting)) >= _FRAMES:
                flush()
        if waiting:
            flush()
        text = zstandard.ZstdCompressor().compress(to_json(index, ensure_ascii=False).encode())
        begin = file.tell()
        file.write(text + _END.pack(begin, len(text), zlib.crc32(text), MAGIC))
        last()


class Shard:
    """What `write_shard` wrote; opening it reads the index alone."""

    def __init__(self, path: Path) -> None:
        """Read the index.

        Raises:
            UserError: it is not a whole shard of a version that can be read.
        """
        self.path = path
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(len(MAGIC))
                file.seek(max(size - _END.size, 0))
                begin, length, crc, tail = _END.unpack(file.read())
                ours = head == tail and head[:-1] == MAGIC[:-1]
                if ours and head[-1] not in _READABLE:
                    raise ValueError(f"version {head[-1]}; versions 1 to {VERSION} can be read")
                if not ours or begin + length + _END.size != size:
                    raise ValueError("it is cut off, or not a shard of targets")
                file.seek(begin)
                text = file.read(length)
                _check(text, crc)
                index = json.loads(zstandard.ZstdDecompressor().decompress(text))
        except (OSError, ValueError, struct.error, zstandard.ZstdError) as error:
            raise self._fault(error) from None
        self._version = head[-1]
        self.describe: dict[str, Any] = index["describe"]
        self._blocks: list[list[int]] = index["blocks"]
        self.places: dict[str, Place] = {}
        """of each cut, in the order of writing"""
        block = begin = 0
        for cut, frames in index["cuts"]:
            while block < len(self._blocks) - 1 and begin >= self._blocks[block][2]:
                block, begin = block + 1, 0
            self.places[cut] = Place(block, begin, frames)
            begin += frames

    def __len__(self) -> int:
        return len(self._blocks)

    def check(
        self, described: dict[str, Any] | None = None, lengths: dict[str, int] | None = None, blocks: bool = False
    ) -> None:
        """Whether this is the shard that it is taken for, and whole.

        Args:
            described: what it has to be made by.
            lengths: stacked frames by cut id, of all cuts that it may hold.
            blocks: read them all too, and not the index alone.

        Raises:
            UserError: it is not; where two values differ, both are told.
        """
        if described is not None:
            check_described(self.path, self.describe, described)
        if lengths is not None:
            for cut in self.places:
                if cut not in lengths:
                    raise UserError(f"{self.path}: it holds cut {cut}, which does not belong there")
                self.place(cut, lengths[cut])
        for number in range(len(self) if blocks else 0):
            self.block(number)

    def place(self, cut: str, frames: int) -> Place:
        """Where the targets of a cut are, that has so many stacked frames.

        Raises:
            UserError: its targets are of another number of frames.
        """
        place = self.places[cut]
        if place.frames != frames:
            raise UserError(f"cut {cut}: {place.frames} frames of soft targets in {self.path}, {frames} of features")
        return place

    @property
    def frames(self) -> int:
        """Of all cuts."""
        return sum(block[2] for block in self._blocks)

    def block(self, number: int) -> Block:
        """Read a block.

        Raises:
            UserError: its bytes are not those that were written.
        """
        begin, crc, frames, kept, *sizes = self._blocks[number]
        try:
            with self.path.open("rb") as file:
                file.seek(begin)
                planes = [file.read(size) for size in sizes]
            _check(b"".join(planes), crc)
            return unpack(planes, frames, kept, self._version)
        except (OSError, ValueError) as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> UserError:
        return UserError(
            f"{self.path}: cannot be read ({error}). steps/check_targets.py finds such shards, and removes them so "
            "that the step that made them makes them again, and no others."
        )


def is_whole(path: Path, described: dict[str, Any] | None, lengths: dict[str, int] | None = None) -> bool:
    """Whether a shard is there, and is what it should be as far as its index tells (`Shard.check`); if not, say why."""
    if not path.exists():
        return False
    try:
        Shard(path).check(described, lengths)
    except UserError as error:
        log.warning("a shard is made again: %s", error)
        return False
    return True


def check_described(where: Path, made: dict[str, Any], expected: dict[str, Any]) -> None:
    """Raise UserError, with what differs, where targets are made by something else than expected."""
    if made != expected:
        ours, theirs = ({k: v for k, v in a.items() if (k, v) not in b.items()} for a, b in
                        ((made, expected), (expected, made)))  # fmt: skip
        raise UserError(f"{where}: made by {ours}, where others are by {theirs}. Do not mix them.")


def _check(data: bytes, crc: int) -> None:
    if zlib.crc32(data) != crc:
        raise ValueError("its checksum is wrong")
