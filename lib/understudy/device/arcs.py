"""The arcs of a graph file, all at once: asking OpenFst for one after the other takes seconds from Python."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from .faults import DeviceError

_MAGIC = 2125659606
_STATE, _ARC = 3, 4  # numbers of 32 bits: weight and (64 bits) number of arcs; labels, weight, next state


def read_arcs(path: Path) -> np.ndarray:
    """Input label, output label, the weight's bits and next state of each arc: (arcs, 4) int32.

    Args:
        path: an OpenFst VectorFst over the tropical semiring, without symbol tables.

    Raises:
        DeviceError: it is none, or is damaged.
    """
    try:
        return _arcs(path.read_bytes())
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise DeviceError(f"{path}: cannot be read ({error}). Export the graph again.") from None


def _arcs(data: bytes) -> np.ndarray:
    at, states = _header(data)
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
    inside = np.ones(here, bool)
    inside[np.array(heads, np.int64)[:, None] + np.arange(_STATE)] = False
    found = np.frombuffer(data, "<i4", offset=at)[inside].reshape(-1, _ARC)
    if len(found) and not 0 <= found[:, 3].min() <= found[:, 3].max() < states:
        raise ValueError("an arc to a state that is not there")
    return found


def _header(data: bytes) -> tuple[int, int]:
    """Where the states begin, and how many they are."""
    at, kinds = 4, []
    for _ in range(2):
        (length,) = struct.unpack_from("<i", data, at)
        kinds.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    _, flags, _, start, states, _ = struct.unpack_from("<iiQqqq", data, at)
    if (struct.unpack_from("<i", data), kinds, flags) != ((_MAGIC,), [b"vector", b"standard"], 0):
        raise ValueError("no graph of stage 12")
    if not 0 <= start < states:
        raise ValueError(f"it begins at state {start} of {states}")
    return at + struct.calcsize("<iiQqqq"), states
