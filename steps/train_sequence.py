#!/usr/bin/env python3
"""Train an acoustic model further with a sequence-discriminative criterion, on labelled speech.

e.g.: steps/train_sequence.py --model exp/teacher --labelled data/feats/labelled.jsonl.gz \\
          --dev data/feats/dev.jsonl.gz --labels exp/tree --lang exp/lang --out exp/teacher-mmi
"""

from __future__ import annotations

from understudy.lang.lexicon import SPOKEN_FILES
from understudy.step import Step, main
from understudy.train.options import SequenceTrainingOptions, depends


def run(options: SequenceTrainingOptions, step: Step) -> None:
    """Set up data, model and criterion, train, write the model folder."""
    from understudy.train.sequence_setup import train_sequence

    train_sequence(options, step.out)


if __name__ == "__main__":
    main(
        SequenceTrainingOptions,
        run,
        inputs=("model", "labelled", "dev", "labels", "lang", "graph"),
        files_read={"lang": SPOKEN_FILES},
        unfingerprinted=("threads",),
        extra_fingerprint=lambda options: depends(options.train.parallel),
        torchrun=True,
    )
