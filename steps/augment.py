#!/usr/bin/env python3
r"""Compute features of a set as if recorded in other rooms and in noise; cuts and frames are those of the clean set.

So a student that is trained on these can use the soft targets that a teacher computed from the clean speech:

e.g.: steps/augment.py --cuts data/corpus/unlabelled.jsonl.gz --out data/augmented
      steps/train.py … --unlabelled '[data/feats/unlabelled.jsonl.gz, data/augmented/unlabelled.jsonl.gz]' \
          --targets '[exp/targets/unlabelled]'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.corpus.names import set_name
from understudy.features.options import RoomNoiseOptions, usual_backend
from understudy.parallel.options import ClusterOptions
from understudy.parallel.workers import Workers
from understudy.step import Step, log, main

_NOISES = 2000  # cuts of noise to draw from: a few hours


@dataclass
class Options:
    """Stage 1, once more: features of altered audio."""

    cuts: Path
    """cut manifest with audio"""
    out: Path
    """folder of the features; the manifest has the name of the given one"""
    noises: Path | None = None
    """cut manifest of noise, such as Lhotse makes of MUSAN, 16 kHz; none: babble of the set's other utterances"""
    room_noise: RoomNoiseOptions = field(default_factory=RoomNoiseOptions)
    """rooms and noise"""
    seed: int = 1
    """seed of rooms and noises"""
    shard_size: PositiveInt = 400
    """cuts in a shard, the unit of resuming"""
    backend: str = field(default_factory=usual_backend)
    """torchaudio, kaldi-native-fbank or kaldifeat"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""


def run(options: Options, step: Step) -> None:
    """Make rooms, choose noises, extract."""
    from understudy.corpus.subset import some
    from understudy.features.extract import LogmelExtractor, extract_set
    from understudy.features.room_noise import RoomNoise
    from understudy.features.rooms import make_rooms

    noises = some([options.noises or options.cuts], _NOISES, options.seed)
    talkers = 1 if options.noises else options.room_noise.talkers
    rooms = make_rooms(options.room_noise.rooms, options.seed)
    log.info("%d rooms, noise from %d cuts, %d at once", len(rooms), len(noises), talkers)
    name = set_name(options.cuts)
    altered = RoomNoise(options.room_noise, rooms, noises, talkers, options.seed)
    extractor = LogmelExtractor(options.backend, altered)
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        extract_set(options.cuts, step.out, name, [1.0], options.shard_size, extractor, workers)


if __name__ == "__main__":
    main(Options, run, inputs=("cuts", "noises"), unfingerprinted=("jobs", "cluster"))
