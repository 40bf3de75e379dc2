"""Reading of language models in pocketsphinx's binary format (`.lm.bin`): its package contains one of general English.

The package's own converter to ARPA crashes on this model (versions 5.0.4 and 5.1.1: the file has room for a few more
bigrams than there are), so it is read here. An n-gram is a path from its last word back to its first. The format is
little-endian, with logarithms to the base 1.0001:

- "Trie Language Model", order (u8), room for n-grams of each order (u32 each)
- four bytes; for each order from 2: tables of 65 536 log p and, below the highest order, of as many back-offs (f32)
- for each word and one beyond: log p, back-off (f32), index of its first two-word path (u32)
- for each order from 2 its paths, packed bit by bit, and one beyond, then eight bytes. A path has its word, the index
  of its back-off (16 bits), the index of its log p (16 bits), and the index of its first longer path; in the highest
  order there are no back-offs and longer paths
- bytes of the words (u32), words, each followed by a zero
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.step import UserError

_HEADER = b"Trie Language Model"
_INDEX = 16  # bits of an index into a table


@dataclass
class Ngrams:
    """All n-grams of one order.

    Attributes:
        words: (number, order) indices of the words, in spoken order.
        log_probs: (number,), nats.
        log_backoffs: (number,), nats; None for the highest order.
    """

    words: np.ndarray
    log_probs: np.ndarray
    log_backoffs: np.ndarray | None


def read_trie(path: Path) -> tuple[list[str], list[Ngrams]]:
    """Read the words, and the n-grams of each order from 1.

    Raises:
        UserError: the file is not such a model, or is damaged.
    """
    file = io.BytesIO(path.read_bytes())
    try:
        return _read(file)
    except (ValueError, IndexError) as error:
        raise UserError(f"{path}: not a binary language model of pocketsphinx, or a damaged one ({error})") from None


def _read(file: io.BytesIO) -> tuple[list[str], list[Ngrams]]:
    if file.read(len(_HEADER)) != _HEADER:
        raise ValueError("another header")
    order = int(_numbers(file, "u1", 1)[0])
    counts = [int(n) for n in _numbers(file, "<u4", order)]
    file.seek(4, io.SEEK_CUR)
    # Below the highest order: a table of probabilities and one of back-offs; for the highest, only the first.
    tables = [_numbers(file, "<f4", 1 << _INDEX) for _ in range(2 * (order - 2) + 1)]
    words = _numbers(file, np.dtype([("prob", "<f4"), ("backoff", "<f4"), ("next", "<u4")]), counts[0] + 1)
    paths = np.arange(counts[0])[:, None]
    ngrams = [Ngrams(paths, _nats(words["prob"][:-1]), _nats(words["backoff"][:-1]))]
    begins = words["next"].astype(np.int64)
    for n in range(2, order + 1):
        highest = n == order
        widths = [counts[0].bit_length(), _INDEX] + ([] if highest else [_INDEX, counts[n].bit_length()])
        fields = _unpack(file, counts[n - 1] + 1, widths)
        # The continuations of a path are the entries from its own index up to the next path's index.
        paths = np.column_stack([fields[0][: begins[-1]], np.repeat(paths, np.diff(begins), axis=0)])
        probs, backoffs = tables[2 * (n - 2)][fields[-1 if highest else 2]], None
        if not highest:
            backoffs = _nats(tables[2 * (n - 2) + 1][fields[1]])[: len(paths)]
            begins = fields[3][: len(paths) + 1]
        ngrams.append(Ngrams(paths, _nats(probs)[: len(paths)], backoffs))
    text = _numbers(file, "u1", int(_numbers(file, "<u4", 1)[0])).tobytes().decode()
    names = text.split("\0")[:-1]
    if len(names) != counts[0]:
        raise ValueError(f"{len(names)} words, {counts[0]} are to be there")
    return names, ngrams


def _numbers(file: io.BytesIO, kind: str | np.dtype, count: int) -> np.ndarray:
    dtype = np.dtype(kind)
    return np.frombuffer(file.read(dtype.itemsize * count), dtype, count)


def _unpack(file: io.BytesIO, entries: int, widths: list[int]) -> list[np.ndarray]:
    """Unpack fields of these widths in bits, entry after entry, the lowest bits first."""
    total = sum(widths)
    data = _numbers(file, "u1", (entries * total + 7) // 8 + 8)
    fields, begin = [], np.arange(entries, dtype=np.int64) * total
    for width in widths:
        value = np.zeros(entries, np.uint64)
        for byte in range(5):  # a field of up to 33 bits lies in five bytes, wherever it begins
            value |= data[begin // 8 + byte].astype(np.uint64) << np.uint64(8 * byte)
        value >>= (begin % 8).astype(np.uint64)
        fields.append((value & np.uint64((1 << width) - 1)).astype(np.int64))
        begin = begin + width
    return fields


def _nats(logs: np.ndarray) -> np.ndarray:
    return logs.astype(np.float64) * math.log(1.0001)
