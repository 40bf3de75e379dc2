#!/usr/bin/env python3
"""Let a teacher listen to cuts and write what a student learns from: its top-k senone posteriors.

e.g.: steps/make_targets.py --model exp/teacher --feats '[data/feats/unlabelled.jsonl.gz]' --k 20 --out exp/targets

With --supervision denominator the posteriors of a graph of all phone sequences are written instead, with no decoder
still; with lattice or best-path the teacher's speech is decoded too, and the lattice's senone posteriors or
the best path's senones are written instead: what soft targets are held against.
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.targets.options import TargetOptions


def run(options: TargetOptions, step: Step) -> None:
    """One teacher pass over each manifest; what it cost, in however many runs, is in report.json."""
    from understudy.targets.teacher_pass import teacher_pass

    teacher_pass(options, step.out)


if __name__ == "__main__":
    main(
        TargetOptions,
        run,
        inputs=("model", "feats", "graph", "tuned", "labels"),
        unfingerprinted=("threads", "max_frames", "jobs", "cluster"),
    )
