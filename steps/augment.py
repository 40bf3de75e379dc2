#!/usr/bin/env python3
r"""Features of a set as it would be heard elsewhere, in rooms and noise; cuts and frames are those of the clean set.

So the soft targets that a teacher wrote when it heard the clean speech serve a student that hears this:

e.g.: steps/augment.py --cuts data/corpus/unlabelled.jsonl.gz --out data/augmented
      steps/train.py … --unlabelled '[data/feats/unlabelled.jsonl.gz, data/augmented/unlabelled.jsonl.gz]' \
          --targets '[exp/targets/unlabelled]'
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from jsonargparse.typing import PositiveInt
from lhotse.cut import Cut

from understudy.corpus import read_cuts, set_name
from understudy.features.extract import extract_set
from understudy.features.logmel import BACKENDS
from understudy.features.rooms import make_rooms
from understudy.features.surroundings import Surroundings, SurroundingsOptions
from understudy.stage import Step, log, main
from understudy.stage.workers import ClusterOptions, Workers

_NOISES = 2000  # cuts of noise that are known at once: a few hours


@dataclass
class Options:
    """Stage 1, once more: features of altered audio."""

    cuts: Path
    """cut manifest with audio"""
    out: Path
    """folder of the features; the manifest has the name of the given one"""
    noises: Path | None = None
    """cut manifest of noise, such as Lhotse makes of MUSAN, 16 kHz; none: babble of the set's other utterances"""
    surroundings: SurroundingsOptions = field(default_factory=SurroundingsOptions)
    """rooms and noise"""
    seed: int = 1
    """of the draws"""
    shard_size: PositiveInt = 400
    """cuts in a shard, the unit of resuming"""
    backend: str = BACKENDS[0]
    """torchaudio, kaldi-native-fbank or kaldifeat"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""


def run(options: Options, step: Step) -> None:
    """Make rooms, choose noises, extract."""
    noises = _some(options.noises or options.cuts, options.seed)
    talkers = 1 if options.noises else options.surroundings.talkers
    rooms = make_rooms(options.surroundings.rooms, options.seed)
    log.info("%d rooms, noise from %d cuts, %d at once", len(rooms), len(noises), talkers)
    name = set_name(options.cuts)
    altered = Surroundings(options.surroundings, rooms, noises, talkers, options.seed)
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        extract_set(options.cuts, step.out, name, [1.0], options.shard_size, options.backend, workers, altered)


def _some(manifest: Path, seed: int) -> list[Cut]:
    """At most `_NOISES` cuts, any of the manifest equally likely (reservoir sampling: it is read once)."""
    draw, cuts = random.Random(seed), read_cuts(manifest)
    kept = list(islice(cuts, _NOISES))
    for number, cut in enumerate(cuts, start=_NOISES):
        if (place := draw.randint(0, number)) < _NOISES:
            kept[place] = cut
    return kept


if __name__ == "__main__":
    main(Options, run, inputs=("cuts", "noises"), unfingerprinted=("jobs", "cluster"))
