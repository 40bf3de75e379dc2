#!/usr/bin/env python3
r"""Make one set of soft targets of several teachers': the mean of their posteriors, whatever features each one takes.

e.g.: steps/combine_targets.py --targets '[exp/targets/unlabelled,exp-encoder/targets/unlabelled]' \
    --weights '[1,2]' --out exp/targets-both

gives exp/targets-both/unlabelled. The teachers may take different features, but share one tree (as models of
steps/train.py with one folder of --labels do).
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.targets.options import CombineTargetsOptions


def run(options: CombineTargetsOptions, step: Step) -> None:
    """Read, check that they belong together, and write."""
    from understudy.targets.combine import combine_targets

    combine_targets(options, step.out)


if __name__ == "__main__":
    main(CombineTargetsOptions, run, inputs=("targets",))
