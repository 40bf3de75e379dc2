#!/usr/bin/env python3
r"""Rescore word lattices of a decoding, or their n best, with another language model; its weight is tuned on dev.

e.g.: steps/rescore.py --decoded exp/student/decode --lang exp/lang --arpa 4-gram.arpa.gz --system student \
    --dev data/feats/dev.jsonl.gz --test '[data/feats/test.jsonl.gz]' --out exp/student/decode-4-gram
"""

from __future__ import annotations

from understudy.decode.options import RescoreOptions
from understudy.step import Step, main


def run(options: RescoreOptions, step: Step) -> None:
    """Tune the weight, rescore the test sets, write a results line for each."""
    from understudy.decode.rescore import rescore

    rescore(options, step)


if __name__ == "__main__":
    main(RescoreOptions, run, inputs=("decoded", "lang", "arpa", "dev", "test"), unfingerprinted=("results",))
