#!/usr/bin/env python3
"""Take some hours of a set that has features; a smaller part is contained in any larger one of the same seed.

e.g.: steps/subset.py --cuts data/feats/labelled.jsonl.gz --hours 0.25 --out data/n
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from understudy.step import Step, log, main


@dataclass
class Options:
    """A part of a set."""

    cuts: Path
    """cut manifest"""
    hours: float
    """hours of speech, without copies at other speeds; the last utterance or speaker exceeds them"""
    out: Path
    """folder of a manifest of the same name; features stay where they are"""
    by: Literal["utterance", "speaker"] = "utterance"
    """what is taken or left as a whole"""
    seed: int = 1
    """seed of the order in which utterances or speakers are taken"""


def run(options: Options, step: Step) -> None:
    """Write the manifest, and the features' normaliser beside it."""
    from understudy.corpus import read_cuts
    from understudy.corpus.subset import choose, unit_of, write_part

    units, hours = choose(read_cuts(options.cuts), options.hours, options.seed, options.by)
    count = write_part(options.cuts, step.out, lambda cut: unit_of(cut, options.by) in units)
    log.info("%s: %d cuts, %d %ss, %.3f hours", options.cuts, count, len(units), options.by, hours)


if __name__ == "__main__":
    main(Options, run, inputs=("cuts",))
