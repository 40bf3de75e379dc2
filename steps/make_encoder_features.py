#!/usr/bin/env python3
"""Run a large pretrained model over cut manifests, and store the outputs of one of its layers as features.

They are features of 30 ms frames, beside the log-mels of the same cuts: labels and soft targets fit both.

e.g.: steps/make_encoder_features.py --cuts '[data/corpus/labelled.jsonl.gz, data/corpus/dev.jsonl.gz]' \\
          --encoder.model models/whisper-base --out data/feats-whisper
"""

from __future__ import annotations

from understudy.encoders.options import EncoderFeatureOptions
from understudy.encoders.weights import digest_of, located
from understudy.step import Step, main


def run(options: EncoderFeatureOptions, step: Step) -> None:
    """Extract every set, then the statistics of the one to normalise on; the cost is in report.json."""
    from understudy.encoders.features import make_features

    make_features(options, step.out)


if __name__ == "__main__":
    main(
        EncoderFeatureOptions,
        run,
        inputs=("cuts",),
        unfingerprinted=("max_seconds", "threads", "jobs", "cluster"),
        extra_fingerprint=lambda options: {"weights": digest_of(located(options.encoder.model))},
    )
