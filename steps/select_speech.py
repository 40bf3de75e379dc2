#!/usr/bin/env python3
"""Choose the unlabelled speech that is learnt from by what its soft targets tell of it; nothing is decoded.

e.g.: steps/select_speech.py --cuts data/feats/unlabelled.jsonl.gz --targets '[exp/targets/unlabelled]' \\
          --labels exp/tree --out exp/selected
      steps/train.py … --unlabelled '[exp/selected/unlabelled.jsonl.gz]' --targets '[exp/targets/unlabelled]'

Left out is what the teacher is unsure of, what is nearly all silence, what two teachers disagree on, and copies of
other recordings (docs/targets.md). measures.tsv.gz tells all measures of each utterance, report.json what was left out
and why.
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.targets.options import SelectOptions


def run(options: SelectOptions, step: Step) -> None:
    """Write the manifest of what is kept, and what was found of all."""
    from understudy.targets.select import select

    select(options, step.out)


if __name__ == "__main__":
    main(SelectOptions, run, inputs=("cuts", "targets", "labels", "reference", "second_teacher_targets"))
