"""Soft targets on few levels, and blocks of them as bytes (docs/targets.md has the layout).

What a frame has of a senone matters by its probability p: its negative log x is stored as a level of √x, so that
likely senones are told finely and unlikely ones coarsely (our choice; arXiv:2106.06126 stores 32-bit logits). Two that
are nearly as likely share a level, and come back as likely as each other; which of them was the likeliest is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import zstandard

FINE, COARSE = 64, 8
"""levels of √x in a nat^½, below and above `TURN`: x is kept within √x/64 + 1/16384, or √x/8 + 1/256"""
TURN = 1.5
"""of √x: of p = 0.105. In a frame few are likelier, and what they are told in counts most"""
VERSION = 2
"""of what levels mean"""
Z_LEVELS = 16
"""of log Z in a nat: it is kept within 1/32, modulo 4096"""
MOST_SENONES = 255
"""of a frame, that can be stored"""
_MOST = 127  # level: p = 3e-13; more is as unlikely as that
_TIED = 128  # is added to the level of one that has the likeliest's, and is not it
_ABSENT = 255
_EFFORT = 1  # of zstd: hardly anything repeats, and its entropy coder does the work; 3 to 9 are larger and slower
_TURN = int(FINE * TURN)  # level
_ROOTS = np.append(np.arange(_TURN) / FINE, TURN + np.arange(_MOST + 1 - _TURN) / COARSE)  # √x by level
_VALUES = np.append(-(np.tile(_ROOTS, 2)[:_ABSENT] ** 2), -np.inf).astype(np.float32)


def _levels(root: np.ndarray) -> np.ndarray:
    """uint8, of √x."""
    found = np.where(root < TURN, FINE * root, _TURN + COARSE * (root - TURN))
    return np.minimum(np.rint(found), _MOST).astype(np.uint8)


_OF_FIRST = np.append(_levels(np.arange(_ABSENT) / COARSE), np.uint8(_ABSENT))
"""levels by those of version 1, which were `COARSE` throughout; what shared the likeliest's had been given the next"""


@dataclass
class Block:
    """Targets of some frames."""

    counts: np.ndarray
    """(frames,) uint8: senones kept"""
    senones: np.ndarray
    """(kept,) uint16, rising within a frame"""
    levels: np.ndarray
    """(kept,) uint8 of √(−log-posterior); others on the level of a frame's likeliest senone have `_TIED` besides"""
    log_z: np.ndarray
    """(frames,) int16"""

    def __len__(self) -> int:
        return len(self.counts)

    def frames(self, begin: int, end: int) -> Block:
        """Some of the frames."""
        first, last = (int(self.counts[:i].sum()) for i in (begin, end))
        return Block(self.counts[begin:end], self.senones[first:last], self.levels[first:last], self.log_z[begin:end])

    def padded(self, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Senones (frames, width) int64 and log-posteriors (frames, width) float32.

        Senones rise within a frame; where it has fewer than `width`, senone 0 has log-posterior −∞. Where it has
        more, the likeliest are given.
        """
        most = max(width, int(self.counts.max(initial=0)))
        there = np.arange(most) < self.counts[:, None]
        senones, levels = np.zeros((len(self), most), np.int64), np.full((len(self), most), _ABSENT, np.uint8)
        senones[there], levels[there] = self.senones, self.levels
        if most > width:
            # The likeliest, then those that share its level, then the others.
            rank = 2 * (levels % _TIED).astype(np.int16) + levels // _TIED
            best = np.sort(np.argsort(rank, axis=1, kind="stable")[:, :width], axis=1)
            senones, levels = np.take_along_axis(senones, best, 1), np.take_along_axis(levels, best, 1)
        return senones, _VALUES[levels]


def quantise(senones: np.ndarray, log_posteriors: np.ndarray, log_z: np.ndarray, least: float) -> Block:
    """Targets on few levels, without senones below the probability `least`; the best of a frame always stays.

    Args:
        senones: (frames, k), each at most once in a frame.
        log_posteriors: (frames, k).
        log_z: (frames,).

    Raises:
        ValueError: it cannot be stored: too many senones, or values that are not finite (−∞ may be, but of a frame's
            best senone).
    """
    if not np.isfinite(log_z).all() or not np.isfinite(log_posteriors.max(1)).all():
        raise ValueError("values that are not finite numbers")
    if senones.shape[1] > MOST_SENONES or senones.max(initial=0) > 0xFFFF:
        raise ValueError(
            f"{senones.shape[1]} senones a frame of {senones.max()}: at most {MOST_SENONES} of 65536 can be stored"
        )
    rows, best = np.arange(len(senones)), log_posteriors.argmax(1)
    kept = log_posteriors >= np.log(max(least, 1e-300))
    kept[rows, best] = True
    levels = _levels(np.sqrt(np.maximum(-log_posteriors, 0.0)))
    tied = levels == levels[rows, best][:, None]
    tied[rows, best] = False
    levels[tied] += _TIED
    order = np.argsort(np.where(kept, senones, 1 << 20), axis=1)
    kept, senones, levels = (np.take_along_axis(values, order, 1) for values in (kept, senones, levels))
    z = np.rint(Z_LEVELS * log_z.astype(np.float64)).astype(np.int64).astype(np.int16)
    return Block(kept.sum(1).astype(np.uint8), senones[kept].astype(np.uint16), levels[kept], z)


def join(blocks: list[Block]) -> Block:
    """One after the other."""
    names = ("counts", "senones", "levels", "log_z")
    return Block(*(np.concatenate([getattr(block, name) for block in blocks]) for name in names))


def pack(block: Block) -> list[bytes]:
    """A block's planes, each compressed."""
    ids = block.senones.astype(np.int32)
    first = np.cumsum(block.counts, dtype=np.int64) - block.counts  # where frames begin
    gaps = np.diff(ids, prepend=-1) - 1
    gaps[first] = ids[first]
    steps = np.diff(block.log_z, prepend=np.int16(0))
    compressor = zstandard.ZstdCompressor(level=_EFFORT)
    planes = [block.counts, *_bytes(gaps), block.levels, *_bytes(steps)]
    return [compressor.compress(plane.astype(np.uint8).tobytes()) for plane in planes]


def unpack(planes: list[bytes], frames: int, kept: int, version: int = VERSION) -> Block:
    """What `pack` was given, in this version of the format or the first.

    Raises:
        ValueError: these are not such planes.
    """
    sizes = (frames, kept, kept, kept, frames, frames)
    try:
        found = [
            np.frombuffer(zstandard.ZstdDecompressor().decompress(plane, max_output_size=size), np.uint8)
            for plane, size in zip(planes, sizes, strict=True)
        ]
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    if [len(plane) for plane in found] != [*sizes] or found[0].sum(dtype=np.int64) != kept:
        raise ValueError("planes of other lengths than were written")
    counts, low, high, levels, z_low, z_high = found
    ids = np.cumsum(low + (high.astype(np.int64) << 8) + 1)
    first = np.cumsum(counts, dtype=np.int64) - counts
    before = np.append(np.int64(0), ids)[first]
    senones = (ids - np.repeat(before, counts) - 1).astype(np.uint16)
    log_z = np.cumsum(z_low + (z_high.astype(np.int64) << 8)).astype(np.int16)
    return Block(counts, senones, levels if version > 1 else _OF_FIRST[levels], log_z)


def log_z(block: Block) -> np.ndarray:
    """(frames,) float32, nats."""
    return block.log_z.astype(np.float32) / Z_LEVELS


def _bytes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high bytes of 16-bit values."""
    return values & 0xFF, (values >> 8) & 0xFF
