#!/usr/bin/env python3
"""Soft targets on disk: bytes a frame beside plain ways, what is lost, and the speed of writing and reading.

e.g. in a recipe's folder: ../../../tests/bench/targets.py --teacher exp/teacher --student exp/student-distilled \
    --feats data/feats/unlabelled.jsonl.gz
"""

from __future__ import annotations

import itertools
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import lilcom
import numpy as np
import torch
from lhotse import CutSet
from lhotse.cut import Cut

from understudy import models
from understudy.decode.options import Beams
from understudy.decode.search import Scales
from understudy.features import Normaliser, load_stacked
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.parallel.workers import Workers
from understudy.step import command
from understudy.targets import TargetReader, TargetWriter
from understudy.targets.compute import by_length, compute
from understudy.targets.options import LEAST, MAX_FRAMES
from understudy.targets.shard import Shard
from understudy.targets.store import Targets, shard_path, top_k
from understudy.targets.supervision import TargetSupervision
from understudy.train import losses


@dataclass
class Options:
    """What is stored."""

    teacher: Path
    """model whose logits are stored"""
    student: Path
    """model whose cross-entropy on the targets is compared"""
    feats: Path
    """manifest with features"""
    cuts: int = 500
    """of the manifest"""
    k: int = 20
    """senones of a frame"""
    layers: int = 0
    """of a larger teacher, to time stage 6 with; 0: none"""
    cells: int = 512
    """of its layers, in each direction"""
    senones: int = 3000
    """of it"""
    rounds: int = 5
    """of writing and reading, of which the median counts"""


def run(options: Options) -> None:
    """Print a table of bytes and cross-entropies, then speeds."""
    torch.set_num_threads(1)
    teacher, student = models.load(options.teacher), models.load(options.student)
    normaliser = Normaliser.load(options.feats.parent / "normaliser.json")
    cuts = list(itertools.islice(CutSet.from_jsonl_lazy(options.feats), options.cuts))
    features = {cut.id: torch.from_numpy(load_stacked(cut, normaliser)) for cut in cuts}
    begun = time.process_time()
    logits = {name: teacher.logits([one])[0] for name, one in features.items()}
    forward = time.process_time() - begun
    frames = sum(map(len, logits.values()))
    print(
        f"{frames} frames, {teacher.senones} senones, k = {options.k}; bytes a frame, and the student's cross-entropy:"
    )
    targets = {name: top_k(one, options.k) for name, one in logits.items()}
    given = {name: (of["senones"].long(), of["log_posteriors"]) for name, of in targets.items()}
    exact = _cross_entropy(student, features, given)
    for name, size in _plain(targets, torch.cat(list(logits.values()))).items():
        print(f"{name:24} {size / frames:8.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for least in (0.0, LEAST):
            _ours(Path(folder) / str(least), targets, least, frames, options, (student, features, exact), forward)
        _stage(Path(folder) / "own", options.teacher, options, cuts, normaliser)
        if options.layers:  # its weights are random: it takes the time of one that has learnt
            shape = ModelOptions(options.layers, options.cells, bidirectional=True)
            models.save(LstmModel(shape, teacher.inputs, options.senones), Path(folder) / "larger")
            few = cuts[: options.cuts // 10]
            _stage(Path(folder) / "other", Path(folder) / "larger", options, few, normaliser)


def _stage(folder: Path, model: Path, options: Options, cuts: list[Cut], normaliser: Normaliser) -> None:
    """Stage 6, from features on disk to targets on disk, beside a bare forward pass over the same batches in memory."""
    batches = [
        [torch.from_numpy(load_stacked(cut, normaliser)) for cut in batch] for batch in by_length(cuts, MAX_FRAMES)
    ]
    frames = sum(len(one) for batch in batches for one in batch)
    teaching = TargetSupervision(model, "soft", options.k, Scales(1.0, 0.0), Beams())
    teacher, _ = teaching.load()
    (folder / "feats").mkdir(parents=True)
    CutSet.from_cuts(cuts).to_file(folder / "feats/some.jsonl.gz")
    normaliser.save(folder / "feats/normaliser.json")
    spent: dict[str, list[tuple[float, float]]] = {"bare forward": [], "stage 6": []}
    for number in range(options.rounds + 1):
        for name, times in spent.items():
            begun = time.perf_counter(), time.process_time()
            if name == "stage 6":
                out = folder / f"stage-{number}"
                compute(teaching, folder / "feats/some.jsonl.gz", out, {"k": options.k}, Workers(1))
            else:
                for batch in batches:
                    teacher.logits(batch)
            times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    bare, stage = (np.array(times)[1:] for times in spent.values())  # the first round warms up
    wall, cpu = 100 * np.median(bare / stage, axis=0)
    ours, theirs = (np.median(frames / times[:, 0]) for times in (stage, bare))
    print(
        f"stage 6, {teacher.num_parameters / 1e6:.1f} M parameters, {teacher.senones} senones: {ours:.0f} frames/s, "
        f"{wall:.0f} % of a bare forward pass's {theirs:.0f}; that takes {cpu:.0f} % of its CPU seconds"
    )


def _plain(targets: dict[str, Targets], logits: torch.Tensor) -> dict[str, int]:
    ids, values = (torch.cat([of[name] for of in targets.values()]) for name in ("senones", "log_posteriors"))
    u16, fp16 = ids.numpy().astype(np.uint16).tobytes(), values.half().numpy().tobytes()
    small = logits[:2000].numpy()
    return {
        "dense, fp16": logits.numel() * 2,
        "dense, lilcom": len(lilcom.compress(small, tick_power=-4)) * len(logits) // len(small),
        "u16 + fp16": len(u16) + len(fp16),
        "u16 + fp16, zlib": len(zlib.compress(u16)) + len(zlib.compress(fp16)),
        "u16 + lilcom": len(u16) + len(lilcom.compress(values.numpy(), tick_power=-4)),
    }


def _ours(
    folder: Path, targets: dict[str, Targets], least: float, frames: int, options: Options,
    judge: tuple[LstmModel, dict[str, torch.Tensor], float], forward: float,
) -> None:  # fmt: skip
    writing, reading = [], []
    for number in range(options.rounds):
        begun = time.process_time()
        TargetWriter(folder, {"k": options.k}, least).write(number, targets)
        writing.append(time.process_time() - begun)
    TargetWriter(folder, {"k": options.k}, least).close(1)
    for _ in range(options.rounds):
        reader, begun = TargetReader([folder]), time.process_time()
        for name, of in targets.items():
            reader.read(name, len(of["log_z"]))
        reading.append(time.process_time() - begun)
    read = {name: reader.read(name, len(of["log_z"])) for name, of in targets.items()}
    student, features, exact = judge
    found = _cross_entropy(student, features, {n: tuple(map(torch.from_numpy, pair)) for n, pair in read.items()})
    shard = Shard(shard_path(folder, 0))
    kept = sum(len(shard.block(i).senones) for i in range(len(shard))) / frames
    size = shard.path.stat().st_size / frames
    print(f"{f'this store, least {least:g}':24} {size:8.1f}   {kept:.1f} senones, {100 * (found / exact - 1):+.3f} %")
    wrote, took = float(np.median(writing)), float(np.median(reading))
    print(
        f"{'':24} written at {frames / wrote:.0f} frames/s ({100 * wrote / forward:.1f} % of the teacher's own "
        f"{frames / forward:.0f} frames/s), read at {frames / took:.0f} frames/s, one core"
    )


def _cross_entropy(student: LstmModel, features: dict[str, torch.Tensor], targets: dict[str, tuple]) -> float:
    """Nats a frame."""
    total = sum(float(losses.soft(student.logits([one])[0], *targets[n])) * len(one) for n, one in features.items())
    return total / sum(map(len, features.values()))


if __name__ == "__main__":
    command(Options, run)
