#!/usr/bin/env python3
"""Run a teacher over cuts and write what a student learns from: its top-k senone posteriors.

e.g.: steps/make_targets.py --model exp/teacher --feats '[data/feats/unlabelled.jsonl.gz]' --k 20 --out exp/targets

With --supervision denominator the posteriors in a graph of all phone sequences are written instead, still without a
decoder. With lattice or best-path the cuts are decoded with the teacher, and the lattice's senone posteriors or the
best path's senones are written instead: soft targets are compared with these.
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.targets.options import TargetOptions


def run(options: TargetOptions, step: Step) -> None:
    """Make one teacher pass over each manifest; its cost, summed over all runs, is in report.json."""
    from understudy.targets.teacher_pass import teacher_pass

    teacher_pass(options, step.out)


if __name__ == "__main__":
    main(
        TargetOptions,
        run,
        inputs=("model", "feats", "graph", "tuned", "labels"),
        unfingerprinted=("threads", "max_frames", "jobs", "cluster"),
    )
