"""Graph files in OpenFst's format, read all at once: asking OpenFst for one arc after another takes seconds in Python.

Source: OpenFst's `VectorFst` on disk, version 2: a header, then for each state its final weight, the number of its arcs
and the arcs.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

_MAGIC = 2125659606
_KINDS = (b"vector", b"standard")
_VERSION = 2
_PROPERTIES = 3  # expanded and mutable, as every VectorFst is; OpenFst computes the others
_STATE, _ARC = 3, 4  # numbers of 32 bits: weight and (64 bits) number of arcs; labels, weight, next state
_REST = struct.Struct("<iiQqqq")  # version, flags, properties, start, states, arcs


class Fst(NamedTuple):
    """A transducer over the tropical semiring; its arcs are sorted by source."""

    arcs: np.ndarray
    """(arcs, 4) int32: input label, output label, the weight's bits and next state"""
    sources: np.ndarray
    """(arcs,) int32"""
    finals: np.ndarray
    """(states,) float32, cost of ending; infinite: not an end"""
    start: int


def read_fst(path: Path) -> Fst:
    """Read an OpenFst VectorFst over the tropical semiring, without symbol tables.

    Raises:
        ValueError: the file is no such FST, or is damaged.
        OSError: the file cannot be read.
    """
    try:
        return _fst(path.read_bytes())
    except (IndexError, struct.error) as error:
        raise ValueError(str(error)) from None


def _fst(data: bytes) -> Fst:
    at, start, states = _header(data)
    if (len(data) - at) % 4:
        raise ValueError("its last number is cut off")
    numbers = memoryview(data)[at:].cast("i")
    heads, here = [], 0
    for _ in range(states):
        heads.append(here)
        if numbers[here + 1] < 0 or numbers[here + 2]:
            raise ValueError(f"a state with {numbers[here + 1]} arcs")
        here += _STATE + _ARC * numbers[here + 1]
    if here != len(numbers):
        raise ValueError(f"{len(numbers)} numbers, not the {here} of its states")
    inside, begins = np.ones(here, bool), np.array(heads, np.int64)
    inside[begins[:, None] + np.arange(_STATE)] = False
    every = np.frombuffer(data, "<i4", offset=at)
    found = every[inside].reshape(-1, _ARC)
    if len(found) and not 0 <= found[:, 3].min() <= found[:, 3].max() < states:
        raise ValueError("an arc to a state that is not there")
    sources = np.repeat(np.arange(states, dtype=np.int32), every[begins + 1])
    return Fst(found, sources, every[begins].view("<f4"), start)


def _header(data: bytes) -> tuple[int, int, int]:
    """Return the byte at which the states begin, the start state, and the number of states."""
    at, kinds = 4, []
    for _ in range(2):
        (length,) = struct.unpack_from("<i", data, at)
        kinds.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    _, flags, _, start, states, _ = _REST.unpack_from(data, at)
    if (struct.unpack_from("<i", data), tuple(kinds), flags) != ((_MAGIC,), _KINDS, 0):
        raise ValueError("no VectorFst of the tropical semiring, or one with symbol tables")
    if not 0 <= start < states:
        raise ValueError(f"it begins at state {start} of {states}")
    return at + _REST.size, start, states


def to_bytes(fst: Fst) -> bytes:
    """Return the contents of a file for `read_fst`."""
    counts = np.bincount(fst.sources, minlength=len(fst.finals))
    begins = _STATE * np.arange(len(counts)) + _ARC * (np.cumsum(counts) - counts)
    numbers = np.zeros(_STATE * len(counts) + _ARC * len(fst.arcs), "<i4")
    numbers[begins], numbers[begins + 1] = fst.finals.view(np.int32), counts
    at = _STATE * (fst.sources.astype(np.int64) + 1) + _ARC * np.arange(len(fst.arcs))
    numbers[at[:, None] + np.arange(_ARC)] = fst.arcs
    kinds = b"".join(struct.pack("<i", len(kind)) + kind for kind in _KINDS)
    rest = _REST.pack(_VERSION, 0, _PROPERTIES, fst.start, len(counts), len(fst.arcs))
    return struct.pack("<i", _MAGIC) + kinds + rest + numbers.tobytes()
