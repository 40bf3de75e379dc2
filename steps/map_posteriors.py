#!/usr/bin/env python3
r"""Make a teacher of what a foreign model recognises: its letters or pieces are mapped to senones by co-occurrence.

e.g.: steps/map_posteriors.py --labelled data/feats-ctc/labelled.jsonl.gz --labels exp/ali --out exp/teacher-ctc
      steps/make_targets.py --model exp/teacher-ctc --feats '[data/feats-ctc/unlabelled.jsonl.gz]' --out exp/targets-ctc

The features are those of steps/make_encoder_features.py --encoder.head ctc. Nothing is trained: it takes a pass over
the labelled speech. steps/combine_targets.py joins its targets to another teacher's.
"""

from __future__ import annotations

from understudy.models.options import MapOptions
from understudy.step import Step, main


def run(options: MapOptions, step: Step) -> None:
    """Count, and write the model."""
    from understudy.train.mapping import map_posteriors

    map_posteriors(options, step.out)


if __name__ == "__main__":
    main(MapOptions, run, inputs=("labelled", "labels"))
