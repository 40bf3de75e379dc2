#!/usr/bin/env python3
"""Flat start: train monophone mixtures on 10 ms frames and align every set with them.

e.g.: steps/align_mono.py --feats '[data/feats/labelled.jsonl.gz]' --lang exp/lang --out exp/mono
"""

from __future__ import annotations

from understudy.align.options import MonoOptions
from understudy.lang.lexicon import SPOKEN_FILES
from understudy.step import Step, main


def run(options: MonoOptions, step: Step) -> None:
    """Train, align, and compare with reference times where the supervisions carry them."""
    from understudy.align.flat_start import align_from_nothing

    align_from_nothing(options, step.out)


if __name__ == "__main__":
    main(
        MonoOptions,
        run,
        inputs=("feats", "lang"),
        files_read={"lang": SPOKEN_FILES},
        unfingerprinted=("threads", "jobs", "cluster"),
    )
