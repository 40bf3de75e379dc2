#!/usr/bin/env python3
"""Transcribe cut manifests with a pretrained Whisper model in CTranslate2's format, as faster-whisper uses.

Its transcripts are for steps/pseudo_label.py, which makes senone labels from them.

e.g.: steps/transcribe_whisper.py --cuts '[data/corpus/unlabelled.jsonl.gz]' --model models/whisper-base \\
          --out exp/whisper
"""

from __future__ import annotations

from understudy.encoders.weights import digest_of, located
from understudy.pseudo.options import WhisperOptions
from understudy.step import Step, main


def run(options: WhisperOptions, step: Step) -> None:
    """Transcribe every set; the cost is in report.json."""
    from understudy.pseudo.transcribe import transcribe_sets

    transcribe_sets(options, step.out)


if __name__ == "__main__":
    main(
        WhisperOptions,
        run,
        inputs=("cuts",),
        unfingerprinted=("batch", "threads", "jobs", "cluster"),
        extra_fingerprint=lambda options: {"weights": digest_of(located(options.model))},
    )
