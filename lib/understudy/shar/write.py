"""Write speech as a stream, shard by shard: cuts with their features, labels and targets, each file read in one go."""

from __future__ import annotations

import gzip
import shutil
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lhotse import CutSet
from lhotse.cut import Cut
from lhotse.shar import SharWriter
from lhotse.utils import fastcopy

from understudy.align.archive import AlignmentReader
from understudy.corpus import in_shards, is_perturbed
from understudy.corpus.names import set_name
from understudy.features import kind_of, stacked_length
from understudy.features.kind import LOGMELS
from understudy.lang.tree import Tree
from understudy.parallel.workers import Workers
from understudy.shar import layout
from understudy.step import UserError, atomic_path, atomic_paths, fingerprint, log, read_json, write_json
from understudy.targets.cost import cpu_seconds_per_hour
from understudy.targets.shard import Shard, is_whole
from understudy.targets.store import shard_path


class _Targets(NamedTuple):
    """A set of soft targets."""

    folder: Path
    shards: int
    described: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> _Targets:
        described = read_json(folder / "targets.json")
        return cls(folder, described.pop("shards"), described)


class _Task(NamedTuple):
    out: Path
    number: int
    files: list[Path]
    """all that are to be written but for the checksums, the cuts last"""
    cuts: list[Cut]
    labels: list[np.ndarray] | None
    targets: Path | None


@dataclass
class _Told:
    """What went by."""

    sizes: list[int] = field(default_factory=list)
    lengths: array = field(default_factory=lambda: array("I"))
    seconds: float = 0.0
    original_seconds: float = 0.0
    left_out: int = 0

    def add(self, cuts: list[Cut]) -> None:
        self.sizes.append(len(cuts))
        self.lengths.extend(stacked_length(c.num_frames) for c in cuts)
        self.seconds += sum(c.duration for c in cuts)
        self.original_seconds += sum(c.duration for c in cuts if not is_perturbed(c))


def write_shar(
    feats: Path, out: Path, workers: Workers, labels: Path | None = None, targets: Path | None = None,
    shard_size: int = 500,
) -> dict[str, Any]:  # fmt: skip
    """Write a manifest's cuts; those without label or target are left out, counted and said.

    Shards of which every file is there stay.

    Args:
        labels: folder of a stage, with senone labels of the cuts.
        targets: a set of soft targets of the manifest, whose shards are those of the stream.
        shard_size: cuts of a shard, where there are no targets.

    Returns:
        What stands in shar.json.

    Raises:
        UserError: targets are damaged, of several sets, of other lengths than the features or not in the manifest's
            order; or there is nothing to learn from.
    """
    told, taught = _Told(), _Targets.open(targets) if targets else None
    aligned = AlignmentReader(labels / set_name(feats)) if labels else None
    (out / "shar").mkdir(parents=True, exist_ok=True)
    shards = _by_targets(feats, taught, told) if taught else ((cuts, None) for cuts in in_shards(feats, shard_size))
    described = taught.described if taught else None
    for number in workers.map(_write, _tasks(shards, out, aligned, described, told), f"{out.name}: shards"):
        log.info("%s: shard %d", out.name, number + 1)
    if not told.lengths:
        raise UserError(f"{feats}: no cut has a label or target. Were stages 3 or 6 run on this manifest?")
    if told.left_out:
        log.warning("%s: %d cuts have no labels or targets and are left out", feats, told.left_out)
    with atomic_path(out / layout.LENGTHS) as partial:
        np.save(partial, np.frombuffer(told.lengths, np.uint32))
    beside = [out / layout.LENGTHS, out / layout.NORMALISER]
    if taught:
        beside.append(out / "targets/targets.json")
        write_json(beside[-1], {"shards": taught.shards, **taught.described})
    with atomic_path(out / layout.NORMALISER) as partial:
        shutil.copyfile(feats.parent / layout.NORMALISER, partial)
    about = {
        "cuts": told.sizes, "seconds": told.seconds, "original_seconds": told.original_seconds,
        "left_out": told.left_out, "tree": labels and Tree.load(labels / "tree.json").fingerprint,
        "targets": described, "target_cost": targets and cpu_seconds_per_hour([targets]),
        "sums": {_name(path, out): fingerprint.of_file(path) for path in beside},
    }  # fmt: skip
    write_json(out / layout.ABOUT, about)
    return about


def _by_targets(feats: Path, targets: _Targets, told: _Told) -> Iterator[tuple[list[Cut], Path]]:
    """Both go by in the manifest's order, in which stage 6 wrote the targets: neither is in memory as a whole."""
    stream = iter(CutSet.from_jsonl_lazy(feats))
    for number in range(targets.shards):
        shard, cuts = Shard(path := shard_path(targets.folder, number)), []
        shard.check(targets.described)
        for wanted in shard.places:
            for cut in stream:
                if cut.id == wanted:
                    shard.place(cut.id, stacked_length(cut.num_frames))
                    cuts.append(cut)
                    break
                told.left_out += 1
            else:
                raise UserError(f"{path}: cut {wanted} does not come in {feats}, or not in this order. Make them anew.")
        yield cuts, path
    told.left_out += sum(1 for _ in stream)


def _tasks(
    shards: Iterator[tuple[list[Cut], Path | None]], out: Path, labels: AlignmentReader | None,
    described: dict[str, Any] | None, told: _Told,
) -> Iterator[_Task]:  # fmt: skip
    for number, (cuts, targets) in enumerate(shards):
        if other := next((c for c in cuts if kind_of(c) != LOGMELS), None):
            raise UserError(f"cut {other.id}: has features of {kind_of(other).name}; a stream holds log-mels alone.")
        known = [c for c in cuts if stacked_length(c.num_frames) > 0 and (labels is None or c.id in labels)]
        told.left_out += len(cuts) - len(known)
        told.add(known)
        files = list(layout.files(out, number, labels is not None).values()) if known else []
        whole = all(path.exists() for path in [*files, layout.sums(out, number)])
        if targets is not None:
            files.insert(0, layout.targets(out, number))
            whole &= is_whole(files[0], described, {c.id: stacked_length(c.num_frames) for c in cuts})
        if not whole:
            rows = None
            if labels is not None:
                rows = [labels.read(c.id, stacked_length(c.num_frames))[:, 0] for c in known]
            yield _Task(out, number, files, known, rows, targets)


def _write(task: _Task) -> int:
    """The files of one shard, the checksums last: what they name is there."""
    sums = layout.sums(task.out, task.number)
    with atomic_paths([*task.files, sums], task.out) as folder:
        if task.cuts:
            _write_cuts(task, folder)
        if task.targets is not None:
            Shard(task.targets).check(blocks=True)  # so that no damage is copied
            shutil.copyfile(task.targets, shard_path(folder, task.number))
        write_json(folder / sums.name, {_name(p, task.out): fingerprint.of_file(folder / p.name) for p in task.files})
    return task.number


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _write_cuts(task: _Task, folder: Path) -> None:
    kinds = {"features": "lilcom"} | ({} if task.labels is None else {layout.LABELS: "numpy"})
    with SharWriter(folder, kinds, shard_size=len(task.cuts), shard_offset=task.number) as writer:
        for i, cut in enumerate(task.cuts):
            said = [fastcopy(s, alignment=None) for s in cut.supervisions]
            one = fastcopy(cut, recording=None, supervisions=said)
            if task.labels is not None:
                one = one.attach_tensor(layout.LABELS, task.labels[i].astype(np.uint16))
            writer.write(one)
    cuts = folder / task.files[-1].name
    cuts.write_bytes(gzip.compress(gzip.decompress(cuts.read_bytes()), mtime=0))  # without the time of writing
