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

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.decode.search import Beams, Scales
from understudy.features import Normaliser
from understudy.lang.denominator import denominator
from understudy.lang.graph import load_graph
from understudy.lang.state_graph import StateGraph
from understudy.lang.tree import Tree
from understudy.models import AcousticModel
from understudy.stage import Step, UserError, log, main, read_json, write_json
from understudy.targets.compute import Supervision, compute
from understudy.targets.denominator import Occupied
from understudy.targets.lattice import Decoded
from understudy.targets.store import LEAST, top_k


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
    shard_size: int = 500
    """cuts in a shard, the unit of resuming"""
    max_frames: int = 6000
    """stacked frames of a batch"""
    threads: int = 2
    """torch threads"""


def run(options: Options, step: Step) -> None:
    """One teacher pass over each manifest; what it cost is in report.json."""
    if options.k < 1:
        raise UserError(f"--k {options.k}: keep at least one senone")
    torch.set_num_threads(options.threads)
    teacher = models.load(options.model)
    supervision = _supervision(options, teacher)
    describe = {
        "senones": teacher.senones, "tree": teacher.meta.get("tree"), "teacher": options.model.name,
        "teacher_fingerprint": models.weights_fingerprint(options.model), "supervision": options.supervision,
        "k": 1 if options.supervision == "best-path" else options.k,
    }  # fmt: skip
    report = {}
    for path in options.feats:
        normaliser = Normaliser.load(path.parent / "normaliser.json")
        name, begun, cpu = path.name.split(".")[0], time.monotonic(), time.process_time()
        done = compute(
            teacher,
            supervision,
            path,
            step.out / name,
            normaliser,
            describe,
            options.shard_size,
            options.max_frames,
            options.least,
        )
        wall, hours = time.monotonic() - begun, done.seconds / 3600
        report[name] = {
            "hours": round(hours, 4), "frames": done.frames, "left_out": done.left_out, "wall_s": round(wall, 1),
            "cpu_s_per_hour": round((time.process_time() - cpu) / hours, 1),
        }  # fmt: skip
        log.info("%s: %.0f frames/s; %s", path, done.frames / wall, report[name])
        if done.left_out:
            log.warning("%s: %d cuts without targets are left out", path, done.left_out)
    write_json(step.out / "report.json", report)


def _supervision(options: Options, teacher: AcousticModel) -> Supervision:
    if options.supervision == "soft":
        return lambda logits: [top_k(z, options.k) for z in logits]
    scales = Scales(options.acoustic_scale, options.prior_scale)
    if options.tuned:
        found = read_json(options.tuned / "dev" / "wer.json")
        scales = Scales(found["acoustic_scale"], found["prior_scale"])
    log.info("scores with %s", scales)
    if options.supervision == "denominator":
        return Occupied(_denominator(options, teacher), scales, teacher.log_priors, options.k)
    if options.graph is None:
        raise UserError(f"--supervision {options.supervision} decodes: give --graph, the folder of steps/make_graph.py")
    graph, soft = load_graph(options.graph / "HCLG.safetensors"), options.supervision == "lattice"
    return Decoded(graph, scales, teacher.log_priors, options.beams, options.k, soft)


def _denominator(options: Options, teacher: AcousticModel) -> StateGraph:
    if options.labels is None:
        raise UserError("--supervision denominator sums over phone sequences: give --labels, of the labelled speech")
    tree, aligned = Tree.load(options.labels / "tree.json"), AlignmentReader(options.labels / "labelled")
    if tree.num_senones != teacher.senones:
        raise UserError(f"{options.model}: {teacher.senones} senones, {options.labels} has {tree.num_senones}")
    _, graph = denominator((rows[:, 0] for rows in aligned.rows()), tree)
    return graph


if __name__ == "__main__":
    main(Options, run, inputs=("model", "feats", "graph", "tuned", "labels"), unfingerprinted=("threads", "max_frames"))
