#!/usr/bin/env python3
"""Train an acoustic model: a teacher or a student, on labels alone or on soft targets too.

e.g.: steps/train.py --config conf/student.yaml --labelled data/feats/labelled.jsonl.gz \\
          --dev data/feats/dev.jsonl.gz --labels exp/tree --out exp/student
"""

from __future__ import annotations

from understudy.step import Step, main
from understudy.train.options import TrainingOptions, depends


def run(options: TrainingOptions, step: Step) -> None:
    """Set up data and model, train, write the model folder."""
    from understudy.train.setup import train

    train(options, step.out)


if __name__ == "__main__":
    main(
        TrainingOptions,
        run,
        inputs=("labelled", "dev", "labels", "unlabelled", "targets", "true_labels", "nonspeech", "init", "transfer"),
        unfingerprinted=("threads",),
        extra_fingerprint=lambda options: depends(options.train.parallel),
        torchrun=True,
    )
