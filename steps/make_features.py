#!/usr/bin/env python3
"""Compute log-mel features of cut manifests, stored compressed, shard by shard.

e.g.: steps/make_features.py --cuts '[data/corpus/labelled.jsonl.gz, data/corpus/dev.jsonl.gz]' --out data/feats
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.corpus.names import check_names, set_name
from understudy.device.normalise import OnlineMean
from understudy.features.normalise import check_online
from understudy.features.options import usual_backend
from understudy.parallel.options import ClusterOptions
from understudy.parallel.workers import Workers
from understudy.step import Step, UserError, main


@dataclass
class Options:
    """Stage 1: features."""

    cuts: list[Path]
    """cut manifests; each gives a manifest of the same name in --out"""
    out: Path
    """folder of the features"""
    normalise_on: str = "labelled"
    """the set whose mean and variance normalise all"""
    online_mean: bool = True
    """the mean follows the audio, so that gain and channel do not matter; false: it is that of --normalise-on"""
    online: OnlineMean = field(default_factory=OnlineMean)
    """how the mean follows the audio"""
    speeds: list[float] | None = None
    """extra copies of --perturb at these speeds, e.g. [0.9, 1.1]"""
    perturb: list[str] = field(default_factory=lambda: ["labelled"])
    """the sets that get the extra copies"""
    shard_size: PositiveInt = 400
    """cuts in a shard, the unit of resuming"""
    backend: str = field(default_factory=usual_backend)
    """torchaudio, kaldi-native-fbank or kaldifeat"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError if two sets have one name, a named set is none of --cuts, or --online makes no sense."""
        check_names(self.cuts)
        check_online(self.online)
        names = _names(self)
        if self.normalise_on not in names:
            raise UserError(f"--normalise-on {self.normalise_on}: not one of the sets {', '.join(names)}")
        if strangers := sorted({*self.perturb} - {*names}) if self.speeds else []:
            raise UserError(f"--perturb {' '.join(strangers)}: not one of the sets {', '.join(names)}")


def run(options: Options, step: Step) -> None:
    """Extract every set, then the statistics of the one to normalise on."""
    from understudy.features.extract import LogmelExtractor, extract_set, normaliser_of

    extractor = LogmelExtractor(options.backend)
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        for name, path in zip(_names(options), options.cuts):
            speeds = [1.0, *(options.speeds or [])] if name in options.perturb else [1.0]
            extract_set(path, step.out, name, speeds, options.shard_size, extractor, workers)
    online = options.online if options.online_mean else None
    normaliser_of(step.out / f"{options.normalise_on}.jsonl.gz", online).save(step.out / "normaliser.json")


def _names(options: Options) -> list[str]:
    return [set_name(path) for path in options.cuts]


if __name__ == "__main__":
    main(Options, run, inputs=("cuts",), unfingerprinted=("jobs", "cluster"))
