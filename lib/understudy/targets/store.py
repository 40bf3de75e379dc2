"""Soft targets of a set of cuts: shards in a folder, read by cut id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lhotse.cut import Cut

from understudy.features import stacked_frames
from understudy.lang.tree import Tree
from understudy.step import UserError, read_json, write_json
from understudy.targets.codec import Block, log_z, quantise
from understudy.targets.options import LEAST
from understudy.targets.shard import Shard, check_described, is_whole, write_shard

_BLOCKS_IN_MEMORY = 512  # some 0.2 MB each

Targets = dict[str, torch.Tensor]
"""Of one cut: senones (frames, k) int32, log_posteriors (frames, k) float32, log_z (frames,) float32"""


def top_k(logits: torch.Tensor, k: int) -> Targets:
    """Keep the k largest logits of each frame, in no order (arXiv:1904.01624), and log Z over all senones.

    Args:
        logits: (frames, senones).

    Returns:
        senones (frames, k) int32, log_posteriors (frames, k) float32, log_z (frames,) float32.
    """
    log_z = logits.logsumexp(1)
    values, senones = logits.topk(min(k, logits.shape[1]), dim=1, sorted=False)
    return {"senones": senones.int(), "log_posteriors": (values - log_z[:, None]).float(), "log_z": log_z.float()}


def check_tree(where: object, described: dict[str, Any], tree: Tree, labels: Path) -> None:
    """Raise UserError where targets are of another tree than labels.

    Args:
        where: the targets are, for errors.
        labels: folder of the labels, and of the tree.
    """
    if described["senones"] != tree.num_senones:
        raise UserError(f"{where}: targets over {described['senones']} senones, {labels} has {tree.num_senones}")
    if described.get("tree") not in (None, tree.fingerprint):
        raise UserError(
            f"{where}: targets of the tree {described['tree']}, {labels} has {tree.fingerprint}. "
            "Train the teacher on these labels, and let it write targets anew."
        )


def shard_path(folder: Path, number: int) -> Path:
    """File of a shard."""
    return folder / f"{number:05d}.targets"


class TargetWriter:
    """Writes shards of one set."""

    def __init__(self, folder: Path, describe: dict[str, Any], least: float = LEAST) -> None:
        """Begin or go on.

        Args:
            describe: what the reader compares between sets, such as teacher, tree and k; stands in every shard.
            least: probability below which a senone is left out.
        """
        self.folder, self.least = folder, least
        self.describe = {**describe, "least": least, "frame_shift_s": 0.03}
        folder.mkdir(parents=True, exist_ok=True)

    def has(self, shard: int, lengths: dict[str, int] | None = None) -> bool:
        """Whether the shard is there, and is one of this set.

        Args:
            lengths: stacked frames by cut id, of all cuts that it may hold.
        """
        return is_whole(shard_path(self.folder, shard), self.describe, lengths)

    def write(self, shard: int, targets: dict[str, Targets], last: Callable[[], None] = lambda: None) -> None:
        """Write one shard.

        Args:
            targets: by cut id, as `top_k` returns them.
            last: see `write_shard`.

        Raises:
            UserError: values that are not numbers; the cut and the teacher are named.
        """
        blocks = ((cut, self._block(cut, of)) for cut, of in targets.items())
        write_shard(shard_path(self.folder, shard), blocks, self.describe, last)

    def _block(self, cut: str, targets: Targets) -> Block:
        names = ("senones", "log_posteriors", "log_z")
        senones, log_posteriors, log_z = (targets[name].cpu().numpy() for name in names)
        try:
            return quantise(senones, log_posteriors, log_z, self.least)
        except ValueError as error:
            teacher = self.describe.get("teacher")
            raise UserError(f"cut {cut}: targets of the teacher {teacher} cannot be stored ({error})") from None

    def close(self, shards: int) -> None:
        """Write the description that makes the set whole."""
        write_json(self.folder / "targets.json", {"shards": shards, **self.describe})


class TargetReader:
    """Random access by cut id; a bounded number of blocks is in memory."""

    def __init__(self, places: list[Path], k: int | None = None, described: dict[str, Any] | None = None) -> None:
        """Index the sets of targets.

        Args:
            places: folders of sets, or single shards.
            k: senones to give of each frame; None: all that were kept.
            described: what they have to be made by; None: what the first of them are.

        Raises:
            UserError: targets of several teachers or trees, or fewer senones than `k`.
        """
        self.where: dict[str, Shard] = {}
        self.describe: dict[str, Any] = described or {}
        self._block = lru_cache(_BLOCKS_IN_MEMORY)(Shard.block)
        for place in places:
            self._index(place)
        if k is not None and not 1 <= k <= self.describe["k"]:
            raise UserError(f"{places[0]}: {self.describe['k']} senones a frame were kept, {k} cannot be used")
        self.k = k or self.describe["k"]

    def _index(self, place: Path) -> None:
        if place.is_dir():
            described = read_json(place / "targets.json")
            shards = [Shard(shard_path(place, number)) for number in range(described.pop("shards"))]
        else:
            shards = [Shard(place)]
            described = shards[0].describe
        self.describe = self.describe or described
        check_described(place, described, self.describe)
        for shard in shards:
            shard.check(described)
            self.where.update(dict.fromkeys(shard.places, shard))

    def __contains__(self, cut_id: str) -> bool:
        return cut_id in self.where

    def lengths(self) -> dict[str, int]:
        """Frames of every cut, as written."""
        return {cut: shard.places[cut].frames for cut, shard in self.where.items()}

    def check(self, cuts: Iterable[Cut]) -> None:
        """Compare the lengths of cuts with those of their targets, from the shards' indexes alone.

        A cut without targets is passed over.

        Raises:
            UserError: another number of frames.
        """
        for cut in cuts:
            if cut.id in self.where:
                self.where[cut.id].place(cut.id, stacked_frames(cut))

    def read(self, cut_id: str, frames: int, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Senones (frames, k) int64 and log-posteriors (frames, k) float32 of a cut, see `Block.padded`.

        Args:
            frames: that the cut has.
            start: the first of them to give.
            stop: the one after the last; None: all are given.

        Raises:
            UserError: no targets for this cut, another number of frames, or a shard that cannot be read.
        """
        return self._of(cut_id, frames, start, stop).padded(self.k)

    def log_z(self, cut_id: str, frames: int) -> np.ndarray:
        """log Z (frames,) float32 of a cut: added to its log-posteriors it makes the teacher's logits."""
        return log_z(self._of(cut_id, frames))

    def _of(self, cut_id: str, frames: int, start: int = 0, stop: int | None = None) -> Block:
        if cut_id not in self.where:
            raise UserError(f"cut {cut_id}: no soft targets. Run stage 6 on its manifest.")
        shard = self.where[cut_id]
        number, begin, _ = shard.place(cut_id, frames)
        return self._block(shard, number).frames(begin + start, begin + (frames if stop is None else stop))
