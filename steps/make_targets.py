#!/usr/bin/env python3
"""Let a teacher listen to cuts and write its top-k senone posteriors.

e.g.: steps/make_targets.py --model exp/teacher --feats '[data/feats/unlabelled.jsonl.gz]' --k 20 --out exp/targets
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from understudy import models
from understudy.features import Normaliser
from understudy.stage import Step, UserError, log, main
from understudy.targets.compute import compute


@dataclass
class Options:
    """Stage 6: soft targets."""

    model: Path
    """the teacher"""
    feats: list[Path]
    """cut manifests with features; each gives a folder of the same name in --out"""
    out: Path
    """folder of the targets"""
    k: int = 20
    """senones kept in a frame"""
    shard_size: int = 500
    """cuts in a shard, the unit of resuming"""
    max_frames: int = 6000
    """stacked frames of a batch"""
    threads: int = 2
    """torch threads"""


def run(options: Options, step: Step) -> None:
    """One teacher pass over each manifest."""
    if options.k < 1:
        raise UserError(f"--k {options.k}: keep at least one senone")
    torch.set_num_threads(options.threads)
    teacher = models.load(options.model)
    describe = {"senones": teacher.senones, "teacher": options.model.name}
    for path in options.feats:
        normaliser = Normaliser.load(path.parent / "normaliser.json")
        out, begun = step.out / path.name.split(".")[0], time.monotonic()
        frames = compute(
            teacher, path, out, normaliser, describe, options.k, options.shard_size, options.max_frames
        )  # fmt: skip
        log.info("%s: %d frames, %.0f frames/s", path, frames, frames / (time.monotonic() - begun))


if __name__ == "__main__":
    main(Options, run, inputs=("model", "feats"), unfingerprinted=("threads", "max_frames"))
