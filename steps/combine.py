#!/usr/bin/env python3
r"""Make one teacher of several: the mean of their posteriors. It can compute targets and be decoded, not trained on.

e.g.: steps/combine.py --models '[exp/teacher,exp/teacher.2,exp/teacher.3]' --out exp/teachers
      steps/make_targets.py --model exp/teachers …
"""

from __future__ import annotations

from understudy.models.options import CombineOptions
from understudy.step import Step, main


def run(options: CombineOptions, step: Step) -> None:
    """Read, check that they belong together, and write."""
    from understudy.models.combine import combine

    combine(options, step.out)


if __name__ == "__main__":
    main(CombineOptions, run, inputs=("models",))
