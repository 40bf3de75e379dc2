#!/usr/bin/env python3
"""Let a teacher listen to cuts and write what a student learns from: its top-k senone posteriors.

e.g.: steps/make_targets.py --model exp/teacher --feats '[data/feats/unlabelled.jsonl.gz]' --k 20 --out exp/targets

With --supervision denominator the posteriors of a graph of all phone sequences are written instead, with no decoder
still; with lattice or best-path the teacher's speech is decoded too, and the lattice's senone posteriors or
the best path's senones are written instead: what soft targets are held against.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from jsonargparse.typing import PositiveInt

from understudy.corpus import check_names, set_name
from understudy.decode.search import Beams, Scales
from understudy.stage import Step, UserError, log, main, read_json, write_json
from understudy.stage.workers import ClusterOptions, Workers
from understudy.targets.codec import MOST_SENONES
from understudy.targets.compute import MAX_FRAMES, compute
from understudy.targets.store import LEAST
from understudy.targets.teaching import Teaching


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
    """senones kept in a frame, at most"""
    least: float = LEAST
    """probability below which a senone is left out; 0: all k are kept"""
    supervision: Literal["soft", "denominator", "lattice", "best-path"] = "soft"
    """the network's posteriors, what a graph of all phone sequences makes of them, or what a search does"""
    labels: Path | None = None
    """folder of the labelled speech's senone labels, which such a graph is made from (denominator)"""
    graph: Path | None = None
    """folder of the decoding graph (lattice, best-path)"""
    acoustic_scale: float = 0.3
    """of the search, or of the denominator's scores"""
    prior_scale: float = 0.6
    """the same"""
    tuned: Path | None = None
    """folder of a decode of the teacher (steps/decode.py), whose scales, tuned on dev, the search takes instead"""
    beams: Beams = field(default_factory=lambda: Beams(search=13.0, output=8.0))
    """of the search"""
    shard_size: PositiveInt = 500
    """cuts in a shard, the unit of resuming"""
    max_frames: PositiveInt = MAX_FRAMES
    """stacked frames of a batch"""
    threads: PositiveInt = 1
    """torch threads of a process"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError where something that this kind takes was not given, or `k` cannot be stored."""
        if not 1 <= self.k <= MOST_SENONES:
            raise UserError(f"--k {self.k}: keep at least 1 and at most {MOST_SENONES} senones of a frame")
        if self.supervision == "denominator" and self.labels is None:
            raise UserError(
                "--supervision denominator sums over phone sequences: give --labels, of the labelled speech"
            )
        if self.supervision in ("lattice", "best-path") and self.graph is None:
            raise UserError(
                f"--supervision {self.supervision} decodes: give --graph, the folder of steps/make_graph.py"
            )
        check_names(self.feats)


def run(options: Options, step: Step) -> None:
    """One teacher pass over each manifest; what it cost, in however many runs, is in report.json."""
    teaching = Teaching(
        options.model, options.supervision, options.k, _scales(options), options.beams, options.labels, options.graph
    )
    torch.set_num_threads(options.threads)
    report, described = {}, teaching.described()
    with Workers(options.jobs, options.cluster, options.threads, step.out) as workers:
        for path in options.feats:
            name, begun = set_name(path), time.monotonic()
            done = compute(
                teaching, path, step.out / name, described, workers, options.shard_size, options.max_frames,
                options.least,
            )  # fmt: skip
            report[name] = {
                "hours": round(done.seconds / 3600, 4), "frames": done.frames, "left_out": done.left_out,
                "cpu_s_per_hour": done.cost.per_hour(),
            }  # fmt: skip
            log.info("%s: %.0f frames/s; %s", path, done.frames_now / (time.monotonic() - begun), report[name])
            if done.left_out:
                log.warning("%s: %d cuts without targets are left out", path, done.left_out)
    write_json(step.out / "report.json", report)


def _scales(options: Options) -> Scales:
    """Of everything but soft targets, which have none."""
    if options.tuned is None:
        return Scales(options.acoustic_scale, options.prior_scale)
    found = read_json(options.tuned / "dev" / "wer.json")
    return Scales.of(found)


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("model", "feats", "graph", "tuned", "labels"),
        unfingerprinted=("threads", "max_frames", "jobs", "cluster"),
    )
