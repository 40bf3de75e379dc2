#!/usr/bin/env python3
"""Frames a second of the training loop beside bare steps on a batch in memory, and of ranks beside one process.

e.g. in a recipe's folder: ../../../tests/bench/train.py --labelled data/feats/labelled.jsonl.gz --labels exp/tree \
    --dev data/feats/dev.jsonl.gz --config conf/student.yaml
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import chain, cycle, islice
from itertools import count as count_from
from pathlib import Path

import numpy as np

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.data.manifests import ManifestSpeech
from understudy.data.shar import SharSpeech
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.lang.tree import Tree
from understudy.models.options import ModelOptions
from understudy.step import UserError, command, read_json
from understudy.targets import TargetReader
from understudy.train.loop import Parts, Sets, Trainer
from understudy.train.options import TrainOptions
from understudy.train.schedule import Pass
from understudy.train.work_split import updates

TRAIN = Path(__file__).resolve().parents[2] / "steps/train.py"
RENDEZVOUS = ("--rdzv_backend=c10d", "--rdzv_conf=store_type=file")
METHOD = "--train.parallel.method"
BLOCK = (METHOD, "bmuf", "--train.parallel.bmuf.block")
WAYS = {
    "1 process, 1 thread": (0, "--threads", "1"),
    "1 process, 2 threads": (0, "--threads", "2"),
    "2 ranks": (2,),
    "2 ranks, fp16": (2, METHOD, "fp16"),
    "2 ranks, powersgd": (2, METHOD, "powersgd"),
    "2 ranks, threshold": (2, METHOD, "threshold"),
    "2 ranks, bmuf, block 4": (2, *BLOCK, "4"),
    "2 ranks, bmuf, block 16": (2, *BLOCK, "16"),
    "2 ranks, bmuf, η = 0": (2, *BLOCK, "16", "--train.parallel.bmuf.momentum", "0"),
}


@dataclass
class Options:
    """What is trained."""

    labelled: Path
    """cut manifest with features"""
    dev: Path
    """the same for validation"""
    labels: Path
    """folder of senone labels"""
    unlabelled: Path | None = None
    """manifest to learn from soft targets in the loop"""
    targets: Path | None = None
    """folder of these"""
    stream: Path | None = None
    """the same speech as a stream (steps/make_shar.py)"""
    model: ModelOptions = field(default_factory=ModelOptions)
    """shape"""
    train: TrainOptions = field(default_factory=TrainOptions)
    """training"""
    threads: int = 1
    """of the loop"""
    updates: int = 10
    """of a round"""
    rounds: int = 6
    """of each side, in turn; medians count"""
    epochs: int = 0
    """of trainings by one process and by two ranks, compared in speed and dev loss; 0: none"""
    ways: list[str] = field(default_factory=lambda: list(WAYS))
    """of these"""


def run(options: Options) -> None:
    """Print the loop's share, then the trainings."""
    with tempfile.TemporaryDirectory() as folder:
        _loop(options, Path(folder))
    if options.epochs:
        print("\ntraining: median frames/s of the passes, seconds, updates: dev loss after the passes")
    for name in options.ways if options.epochs else []:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name:22}", _train(options, Path(folder), *WAYS[name]), flush=True)


def _loop(options: Options, folder: Path) -> None:
    held, read = (_data(options, cache_mb) for cache_mb in (1500, 0))
    dev = ManifestSpeech.labelled(options.dev, options.labels)
    model = models.build(options.model, 3 * NUM_MELS, Tree.load(options.labels / "tree.json").num_senones)
    kind = "soft" if options.targets else "hard"
    trainer = Trainer(model, Sets(held, dev, held), [Pass(kind)] * 2, options.train, folder, 1, options.threads)
    order, count = list(trainer._order(0)), options.updates
    pieces = [order[i : i + count] for i in range(0, len(order) - count + 1, count)]
    for _ in trainer._parts(held, order):  # features are read
        pass
    middle = sorted(trainer._parts(held, pieces[0]), key=_frames)[count // 2]
    sides = {
        "one batch in memory": lambda _: [middle] * count,
        "loop, features in memory": lambda piece: trainer._parts(held, piece),
        "loop, features on disk": lambda piece: trainer._parts(read, piece),
    }
    if options.stream:  # its order is its own, and it goes on from round to round
        stream = SharSpeech(options.stream)
        most, chunk = options.train.max_frames, options.train.chunk
        passes = chain.from_iterable(updates(stream.order(most, n, chunk=chunk), 1, True) for n in count_from(0))
        sides["loop, stream on disk"] = lambda _: trainer._parts(stream, islice(passes, count))
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for _, piece in zip(range(options.rounds + 1), cycle(pieces)):
        for name, batches in sides.items():
            begun, frames = time.perf_counter(), 0
            for parts in batches(piece):
                trainer._step(parts, kind)
                frames += _frames(parts)
            speeds[name].append(frames / (time.perf_counter() - begun))
    first = np.array(speeds["one batch in memory"])
    print(
        f"{kind}, {options.threads} threads, {_frames(middle)} frames in the batch; medians, and of ratios in a round"
    )
    for name, values in speeds.items():  # the first round warms up
        share = 100 * np.median((np.array(values) / first)[1:])
        print(f"{name:26} {np.median(values[1:]):7.0f} frames/s {share:6.1f} %")


def _data(options: Options, cache_mb: int) -> ManifestSpeech:
    normaliser = Normaliser.load(options.labelled.parent / "normaliser.json")
    if options.targets:
        return ManifestSpeech([options.unlabelled], normaliser, None, TargetReader([options.targets]), cache_mb)
    labels = AlignmentReader(options.labels / options.labelled.name.split(".")[0])
    return ManifestSpeech([options.labelled], normaliser, labels, None, cache_mb)


def _frames(parts: Parts) -> int:
    return sum(int(batch.lengths.sum()) for _, batch in parts)


def _train(options: Options, folder: Path, ranks: int, *more: str) -> str:
    launch = ["-m", "torch.distributed.run", *RENDEZVOUS, f"--nproc_per_node={ranks}"] if ranks else []
    shape, train = options.model, options.train
    command = [
        sys.executable, *launch, TRAIN, "--labelled", options.labelled, "--dev", options.dev, "--labels",
        options.labels, "--epochs", str(options.epochs), "--out", folder, *more,
        f"--model.layers={shape.layers}", f"--model.cells={shape.cells}", f"--model.delay={shape.delay}",
        f"--model.dropout={shape.dropout}", f"--model.bidirectional={str(shape.bidirectional).lower()}",
        f"--train.max_frames={train.max_frames}", f"--train.chunk={train.chunk}",
        f"--train.ema_decay={train.ema_decay}",
        f"--train.learning_rate={train.learning_rate}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{' '.join(map(str, command))}:\n{done.stderr}")
    log = (folder / "log.txt").read_text()
    speed = np.median([int(found) for found in re.findall(r"(\d+) frames/s", log)][1:])
    seconds = re.findall(r"done in ([\d.]+) s", log)[-1]
    looks = read_json(folder / "model.json")["meta"]["history"]
    shown = looks[:: max(1, len(looks) // 8)]
    losses = " ".join(f"{look['dev']:.3f}" for look in (shown if shown[-1] is looks[-1] else [*shown, looks[-1]]))
    return f"{speed:7.0f} {seconds:>6} {looks[-1]['updates']:5}: {losses}"


if __name__ == "__main__":
    command(Options, run)
