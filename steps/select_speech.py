#!/usr/bin/env python3
"""Choose the unlabelled speech to learn from by measures of its soft targets; nothing is decoded.

e.g.: steps/select_speech.py --cuts data/feats/unlabelled.jsonl.gz --targets '[exp/targets/unlabelled]' \\
          --labels exp/tree --out exp/selected
      steps/train.py … --unlabelled '[exp/selected/unlabelled.jsonl.gz]' --targets '[exp/targets/unlabelled]'

Left out are utterances of which the teacher is unsure, that are nearly all silence, on which two teachers disagree, and
copies of other recordings (docs/targets.md). measures.tsv.gz has all measures of each utterance; report.json says what
was left out and why.
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.targets.options import SelectOptions


def run(options: SelectOptions, step: Step) -> None:
    """Write the manifest of the utterances kept, and the measures of all."""
    from understudy.targets.select import select

    select(options, step.out)


if __name__ == "__main__":
    main(SelectOptions, run, inputs=("cuts", "targets", "labels", "reference", "second_teacher_targets"))
