"""Alignments on disk: integer rows per cut, in shards, with an index; lengths are compared on every load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from understudy.step import UserError, atomic_path, read_json, write_json

_SHARDS_IN_MEMORY = 128  # some 0.5 MB each where they hold senones: the labels of a hundred hours, or two
SHARD_SIZE = 500
"""cuts in a shard"""


def save_rows(folder: Path, shard: int, rows: list[np.ndarray]) -> None:
    """Rows (rows, columns) int32 of the cuts of a shard, one cut after the other; nothing where there are none."""
    if rows:
        with atomic_path(folder / f"{shard:05d}.safetensors") as partial:
            save_file({"rows": np.concatenate(rows)}, partial)


def write_index(folder: Path, columns: list[str], cuts: dict[str, list[int]]) -> None:
    """Make the archive whole. `cuts`: of each id its shard, first row there, number of rows and stacked frames."""
    write_json(folder / "index.json", {"columns": columns, "cuts": cuts})


class AlignmentWriter:
    """Write rows of integers by cut id; `close` makes the archive whole."""

    def __init__(self, folder: Path, columns: list[str], shard_size: int = SHARD_SIZE) -> None:
        self.folder, self.columns, self.shard_size = folder, columns, shard_size
        self.index: dict[str, list[int]] = {}
        self.pending: list[np.ndarray] = []
        self.shard = self.start = 0
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, cut_id: str, rows: np.ndarray, frames: int) -> None:
        """Rows (rows, columns) of a cut that has `frames` stacked frames."""
        rows = np.asarray(rows, np.int32).reshape(-1, len(self.columns))
        self.index[cut_id] = [self.shard, self.start, len(rows), frames]
        self.pending.append(rows)
        self.start += len(rows)
        if len(self.pending) == self.shard_size:
            self._flush()

    def close(self) -> None:
        """Write the last shard and the index."""
        self._flush()
        write_index(self.folder, self.columns, self.index)

    def _flush(self) -> None:
        save_rows(self.folder, self.shard, self.pending)
        self.pending, self.start, self.shard = [], 0, self.shard + 1


class AlignmentReader:
    """Random access by cut id to what AlignmentWriter wrote; a bounded number of shards is in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        stored = read_json(folder / "index.json")
        self.columns: list[str] = stored["columns"]
        self.index: dict[str, list[int]] = stored["cuts"]
        self._shard = lru_cache(_SHARDS_IN_MEMORY)(self._load)

    def __contains__(self, cut_id: str) -> bool:
        return cut_id in self.index

    def ids(self) -> Iterable[str]:
        """Cut ids, as written."""
        return self.index.keys()

    def rows(self) -> Iterator[np.ndarray]:
        """Rows (rows, columns) int32 of every cut, as written."""
        return (self.read(cut_id, frames) for cut_id, (*_, frames) in self.index.items())

    def read(self, cut_id: str, frames: int) -> np.ndarray:
        """Rows (rows, columns) int32 of a cut.

        Raises:
            UserError: the cut is not here, or had another number of stacked frames when it was aligned.
        """
        if cut_id not in self.index:
            raise UserError(f"{self.folder}: no alignment of cut {cut_id}. Run stage 3 on its manifest.")
        shard, start, length, stored = self.index[cut_id]
        if stored != frames:
            raise UserError(
                f"{self.folder}: cut {cut_id} had {stored} stacked frames when it was aligned and has {frames} now. "
                "Features and alignment do not belong together: run stage 3 again."
            )
        return self._shard(shard)[start : start + length]

    def _load(self, shard: int) -> np.ndarray:
        return load_file(self.folder / f"{shard:05d}.safetensors")["rows"]
