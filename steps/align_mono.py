#!/usr/bin/env python3
"""Flat start: train monophone mixtures on 10 ms frames and align every set with them.

e.g.: steps/align_mono.py --feats '[data/feats/labelled.jsonl.gz]' --lang exp/lang --out exp/mono
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jsonargparse.typing import PositiveInt
from lhotse import CutSet
from lhotse.cut import Cut

from understudy.align import monophone
from understudy.align.archive import SHARD_SIZE
from understudy.align.gmm import GaussianMixtures
from understudy.align.shards import align_set
from understudy.corpus import check_names, is_perturbed, set_name
from understudy.lang.lexicon import Lexicon
from understudy.lang.spoken import SPOKEN_FILES, spoken_lexicon
from understudy.stage import Step, UserError, log, main, write_json
from understudy.stage.workers import ClusterOptions, Workers


@dataclass
class Options:
    """Stage 3, first part: alignment from nothing."""

    feats: list[Path]
    """cut manifests with features; the mixtures are trained on the first"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the alignments"""
    iterations: PositiveInt = 35
    """EM iterations"""
    gaussians: PositiveInt = 1000
    """Gaussians in all"""
    train_hours: float = 2.0
    """hours to train on, chosen at random (speed-perturbed copies are left out)"""
    seed: int = 1
    threads: PositiveInt = 2
    """torch threads of the training"""
    shard_size: PositiveInt = SHARD_SIZE
    """cuts in a shard, the unit of resuming, once the mixtures are trained"""
    jobs: PositiveInt = 2
    """processes that align"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.feats)


def run(options: Options, step: Step) -> None:
    """Train, align, compare with reference times where the supervisions carry them."""
    torch.set_num_threads(options.threads)
    lexicon = spoken_lexicon(options.lang, options.feats)
    mixtures = _mixtures(options, lexicon, step.out / "mixtures.safetensors")
    aligner = monophone.MonophoneAligner(mixtures, lexicon.phones, lexicon.silence)
    columns, why, report = ["phone", "start", "end"], "too short for their transcripts", {}
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        for path in options.feats:
            found = align_set(path, step.out, lexicon, aligner, columns, why, options.shard_size, workers)
            report[set_name(path)] = found
            log.info("%s: %s", set_name(path), found)
    write_json(step.out / "report.json", report)


def _mixtures(options: Options, lexicon: Lexicon, file: Path) -> GaussianMixtures:
    """Those that a killed run has trained, or new ones."""
    if not file.exists():
        chosen = _choose(options.feats[0], lexicon, options.train_hours, options.seed)
        utterances = [monophone.utterance_of(cut, lexicon.pronunciations, lexicon.silence) for cut in chosen]
        monophone.train(utterances, len(lexicon.phones) - 1, options.iterations, options.gaussians).save(file)
    return GaussianMixtures.load(file)


def _choose(manifest: Path, lexicon: Lexicon, hours: float, seed: int) -> list[Cut]:
    cuts = [c for c in CutSet.from_file(manifest) if not is_perturbed(c) and lexicon.pronounces(c.supervisions[0].text)]
    if not cuts:
        raise UserError(f"{manifest}: no cut has only words of the lexicon. Make the language folder on this set.")
    random.Random(seed).shuffle(cuts)
    chosen, seconds = [], 0.0
    for cut in cuts:
        if seconds >= 3600 * hours:
            break
        chosen.append(cut)
        seconds += cut.duration
    log.info("mixtures learn from %d of %d utterances, %.2f h", len(chosen), len(cuts), seconds / 3600)
    return chosen


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("feats", "lang"),
        parts={"lang": SPOKEN_FILES},
        unfingerprinted=("threads", "jobs", "cluster"),
    )
