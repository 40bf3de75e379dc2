"""A teacher listens to manifests, and writes what a student learns from."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from understudy.corpus.names import set_name
from understudy.decode.search import Scales
from understudy.parallel.workers import Workers
from understudy.step import log, read_json, write_json
from understudy.targets.compute import compute
from understudy.targets.options import TargetOptions
from understudy.targets.supervision import TargetSupervision


def teacher_pass(options: TargetOptions, out: Path) -> None:
    """One teacher pass over each manifest; what it cost, in however many runs, is in report.json."""
    teaching = TargetSupervision(
        options.model, options.supervision, options.k, _scales(options), options.beams, options.labels, options.graph
    )
    torch.set_num_threads(options.threads)
    report, described = {}, teaching.described()
    with Workers(options.jobs, options.cluster, options.threads, out) as workers:
        for path in options.feats:
            name, begun = set_name(path), time.monotonic()
            done = compute(
                teaching, path, out / name, described, workers, options.shard_size, options.max_frames,
                options.least,
            )  # fmt: skip
            report[name] = {
                "hours": round(done.seconds / 3600, 4), "frames": done.frames, "left_out": done.left_out,
                "cpu_s_per_hour": done.cost.per_hour(),
            }  # fmt: skip
            log.info("%s: %.0f frames/s; %s", path, done.frames_now / (time.monotonic() - begun), report[name])
            if done.left_out:
                log.warning("%s: %d cuts without targets are left out", path, done.left_out)
    write_json(out / "report.json", report)


def _scales(options: TargetOptions) -> Scales:
    """Of everything but soft targets, which have none."""
    if options.tuned is None:
        return Scales(options.acoustic_scale, options.prior_scale)
    found = read_json(options.tuned / "dev" / "wer.json")
    return Scales.from_dict(found)
