#!/usr/bin/env python3
r"""Write a set of cuts as a stream that a training reads shard by shard: Lhotse Shar, with labels or soft targets.

e.g.: steps/make_shar.py --feats data/feats/labelled.jsonl.gz --labels exp/tree --out data/shar/labelled
      steps/make_shar.py --feats data/feats/unlabelled.jsonl.gz --targets exp/targets/unlabelled \
          --out data/shar/unlabelled
      steps/train.py --labelled data/shar/labelled --unlabelled '[data/shar/unlabelled]' …
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.parallel.options import ClusterOptions
from understudy.parallel.workers import Workers
from understudy.step import Step, UserError, log, main


@dataclass
class Options:
    """A stream of cuts."""

    feats: Path
    """manifest with features"""
    out: Path
    """folder of the stream"""
    labels: Path | None = None
    """folder with senone labels of the set (stage 3)"""
    targets: Path | None = None
    """soft targets of the set (stage 6), whose shards are taken over"""
    shard_size: PositiveInt = 500
    """cuts in a shard if there are no --targets"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError if there are neither labels nor targets."""
        if self.labels is None and self.targets is None:
            raise UserError("give --labels, --targets or both: what is to be learnt from these cuts")


def run(options: Options, step: Step) -> None:
    """Write the stream, and report its size."""
    from understudy.shar import write_shar

    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        about = write_shar(options.feats, step.out, workers, options.labels, options.targets, options.shard_size)
    cuts = about["cuts"]
    log.info("%s: %d cuts, %.2f h in %d shards", step.out, sum(cuts), about["seconds"] / 3600, len(cuts))


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("feats", "labels", "targets"),
        unfingerprinted=("jobs", "cluster"),
    )
