"""Soft targets on disk: per frame the k largest logits, their senones and log Z, by shard, keyed by cut.

A shard is a safetensors file: `senones` (frames, k) uint16, `logits` (frames, k) float16 relative to log Z (so
log-posteriors), `log_z` (frames,) float32, and an index in JSON that is written last.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from understudy.stage import UserError, atomic_path, read_json, write_json

_SHARDS_IN_MEMORY = 64

Targets = dict[str, torch.Tensor]
"""Of one cut: senones (frames, k) int32, log_posteriors (frames, k) float16, log_z (frames,) float32"""


def top_k(logits: torch.Tensor, k: int) -> Targets:
    """Keep the k largest logits of each frame, largest first (arXiv:1904.01624), and log Z over all senones.

    Args:
        logits: (frames, senones).

    Returns:
        senones (frames, k) int32, log_posteriors (frames, k) float16, log_z (frames,) float32.
    """
    log_z = logits.logsumexp(1)
    values, senones = logits.topk(min(k, logits.shape[1]), dim=1)
    return {"senones": senones.int(), "log_posteriors": (values - log_z[:, None]).half(), "log_z": log_z.float()}


class TargetWriter:
    """Writes shards of one set; a shard that is whole is never written again."""

    def __init__(self, folder: Path, describe: dict[str, Any]) -> None:
        self.folder, self.describe = folder, describe
        folder.mkdir(parents=True, exist_ok=True)

    def has(self, shard: int) -> bool:
        """Whether the shard is whole."""
        return (self.folder / f"{shard:05d}.json").exists()

    def write(self, shard: int, targets: dict[str, Targets]) -> None:
        """Write one shard: targets by cut id, as `top_k` returns them."""
        lengths = {cut: len(t["log_z"]) for cut, t in targets.items()}
        names = ("senones", "log_posteriors", "log_z")
        joined = {name: torch.cat([t[name] for t in targets.values()]) for name in names} if targets else {}
        with atomic_path(self.folder / f"{shard:05d}.safetensors") as partial:
            save_file(joined, partial)
        write_json(self.folder / f"{shard:05d}.json", {"frames": lengths})

    def close(self, shards: int) -> None:
        """Write the description that makes the set whole."""
        write_json(self.folder / "targets.json", {"shards": shards, **self.describe})


class TargetReader:
    """Random access by cut id; a bounded number of shards is in memory."""

    def __init__(self, folders: list[Path], k: int | None = None) -> None:
        """Index the sets of targets.

        Args:
            k: senones to give of each frame; None: all that were kept.

        Raises:
            UserError: targets of several teachers or trees, or fewer senones than `k`.
        """
        self.k = k
        self.where: dict[str, tuple[Path, int, int]] = {}
        self.describe: dict[str, Any] = {}
        self.cache: OrderedDict[Path, dict[str, torch.Tensor]] = OrderedDict()
        for folder in folders:
            self._index(folder)
        if k is not None and not 1 <= k <= self.describe["k"]:
            raise UserError(f"{folders[0]}: {self.describe['k']} senones a frame were kept, {k} cannot be used")

    def _index(self, folder: Path) -> None:
        described = read_json(folder / "targets.json")
        shards = described.pop("shards")
        if self.describe and self.describe != described:
            raise UserError(f"{folder}: made by {described}, other targets by {self.describe}: do not mix them")
        self.describe = described
        for shard in range(shards):
            start = 0
            for cut, frames in read_json(folder / f"{shard:05d}.json")["frames"].items():
                self.where[cut] = (folder / f"{shard:05d}.safetensors", start, frames)
                start += frames

    def __contains__(self, cut_id: str) -> bool:
        return cut_id in self.where

    def read(self, cut_id: str, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Senones (frames, k) int64 and log-posteriors (frames, k) float32 of a cut.

        Raises:
            UserError: no targets for this cut, another number of frames, or a shard that cannot be read.
        """
        if cut_id not in self.where:
            raise UserError(f"cut {cut_id}: no soft targets. Run stage 6 on its manifest.")
        path, start, stored = self.where[cut_id]
        if stored != frames:
            raise UserError(f"cut {cut_id}: {stored} frames of soft targets in {path}, {frames} of features")
        shard = self._shard(path)
        rows = (slice(start, start + frames), slice(None, self.k))
        return shard["senones"][rows].numpy().astype(np.int64), shard["log_posteriors"][rows].float().numpy()

    def _shard(self, path: Path) -> dict[str, torch.Tensor]:
        if path not in self.cache:
            try:
                self.cache[path] = load_file(path)
            except (OSError, SafetensorError) as error:
                raise UserError(
                    f"{path}: cannot be read ({error}). Delete the shard and its .json; run stage 6."
                ) from error
            if len(self.cache) > _SHARDS_IN_MEMORY:
                self.cache.popitem(last=False)
        self.cache.move_to_end(path)
        return self.cache[path]
