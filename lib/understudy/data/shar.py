"""Speech that is read as a stream: no more than a few shards are in memory, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lhotse import CutSet
from lhotse.cut import Cut

from understudy.data.batches import Span, batches_of, spans_of
from understudy.data.speech import LoadedCut, Speech
from understudy.features import Normaliser
from understudy.features.kind import LOGMELS
from understudy.shar import layout
from understudy.step import UserError, read_json
from understudy.targets import TargetReader


class _Shard(NamedTuple):
    cuts: list[Cut | LoadedCut]
    """with their features, compressed until they are heard"""
    targets: TargetReader | None


class SharSpeech(Speech):
    """Cuts that `write_shar` wrote, in the order of a pass: shards are shuffled, and cuts within a pool of shards."""

    kind = LOGMELS

    def __init__(self, folder: Path, k: int | None = None, pool: int = 8) -> None:
        """Open; nothing is read but the number of frames of each cut, and that from disk.

        Args:
            k: senones of soft targets to give of each frame; None: all that were kept.
            pool: shards whose cuts are shuffled together, and that are in memory.
        """
        self.folder, self.k, self.pool = folder, k, pool
        about = read_json(folder / layout.ABOUT)
        self.original_seconds: float = about["original_seconds"]
        self.described, self.target_cost = about["targets"], about["target_cost"]
        self.tree: str | None = about["tree"]
        """of the labels; None: there are none"""
        self.normaliser = Normaliser.load(folder / layout.NORMALISER)
        if k is not None and self.described and not 1 <= k <= self.described["k"]:
            raise UserError(f"{folder}: {self.described['k']} senones a frame were kept, {k} cannot be used")
        self._first = np.cumsum([0, *about["cuts"]])  # of each shard, the number of its first cut
        self._lengths = np.load(folder / layout.LENGTHS, mmap_mode="r")
        self._shard = lru_cache(pool)(self._open)

    def order(
        self, max_frames: int, seed: int | None, part: int = 0, parts: int = 1, chunk: int = 0
    ) -> Iterator[list[Span]]:
        """See `Speech`, made as it is used; a part is every `parts`-th shard."""
        shards = np.flatnonzero(np.diff(self._first))[part::parts]
        if not len(shards):
            raise UserError(
                f"{self.folder}: {len(self._first) - 1} shards cannot be cut into {parts} parts. Write it with a "
                "smaller --shard-size (of steps/make_targets.py, where it has targets)."
            )
        rng = np.random.default_rng(seed)
        if seed is not None:
            rng.shuffle(shards)
        for begin in range(0, len(shards), self.pool):
            numbers = (n for s in shards[begin : begin + self.pool] for n in range(*self._first[s : s + 2].tolist()))
            spans = spans_of(((n, int(self._lengths[n])) for n in numbers), chunk, rng)
            yield from batches_of(spans, max_frames, rng, seed is not None)

    def utterance(self, number: int) -> LoadedCut:
        """See `Speech`; decompressed once, however many spans it is heard in."""
        index = self._shard_of(number)
        shard, at = self._shard(index), number - int(self._first[index])
        cut = shard.cuts[at]
        if not isinstance(cut, LoadedCut):
            labels = cut.load_senones() if self.tree else None
            cut = shard.cuts[at] = LoadedCut(cut.id, cut.load_features(), labels, shard.targets)
        return cut

    def another(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """See `Speech`, of the same shard, which is in memory."""
        index = self._shard_of(number)
        return self.utterance(int(rng.integers(*self._first[index : index + 2]))).frames

    def labels_of_all(self) -> Iterator[np.ndarray]:
        """See `Speech`."""
        for number in range(len(self._first) - 1):
            yield from (cut.load_senones() for cut in self._cuts(number))

    def _shard_of(self, number: int) -> int:
        return int(np.searchsorted(self._first, number, side="right")) - 1

    def _open(self, number: int) -> _Shard:
        cuts, targets = self._cuts(number), None
        if self.described:
            targets = TargetReader([layout.targets(self.folder, number)], self.k, self.described)
            targets.check(cuts)
        return _Shard(cuts, targets)

    def _cuts(self, number: int) -> list[Cut]:
        size = int(self._first[number + 1] - self._first[number])
        if not size:
            return []
        paths = layout.files(self.folder, number, self.tree is not None)
        try:
            cuts = list(CutSet.from_shar(fields={name: [str(path)] for name, path in paths.items()}))
            if len(cuts) != size:
                raise ValueError(f"{len(cuts)} cuts, {size} were written")
        except Exception as error:  # of tar, gzip and JSON: each means that a file is not what was written
            raise UserError(
                f"{paths['cuts']}: the shard cannot be read ({error}). steps/check_shar.py finds damaged files, and "
                "removes them so that steps/make_shar.py makes their shards again, and no others."
            ) from error
        return cuts
