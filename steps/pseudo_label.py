#!/usr/bin/env python3
"""Make senone labels from another recogniser's transcripts of unlabelled speech; leave out what is doubtful.

e.g.: steps/pseudo_label.py --cuts data/feats/unlabelled.jsonl.gz --transcripts exp/whisper/unlabelled/text.jsonl \\
          --model exp/teacher --tree exp/tree --lang exp/lang --out exp/pseudo

steps/train.py --unlabelled '[exp/pseudo/unlabelled.jsonl.gz]' --true-labels exp/pseudo learns from them.
"""

from __future__ import annotations

from understudy.lang.lexicon import SPOKEN_FILES
from understudy.pseudo.options import PseudoLabelOptions
from understudy.pseudo.transcripts import digest_of
from understudy.step import Step, main


def run(options: PseudoLabelOptions, step: Step) -> None:
    """Label the set; what was left out and why is in the log and in report.json."""
    from understudy.pseudo.labels import make_labels

    make_labels(options, step.out)


if __name__ == "__main__":
    main(
        PseudoLabelOptions,
        run,
        inputs=("cuts", "transcripts", "model", "tree", "lang"),
        files_read={"lang": SPOKEN_FILES},
        unfingerprinted=("jobs", "cluster"),
        extra_fingerprint=lambda options: {"words": digest_of(options.transcripts)},
    )
