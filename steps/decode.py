#!/usr/bin/env python3
r"""Decode the development set with a grid of scales, the test sets with the best of them, and score all.

e.g.: steps/decode.py --model exp/student --graph exp/graph --dev data/feats/dev.jsonl.gz \
    --test '[data/feats/test.jsonl.gz]' --system student --out exp/student/decode
"""

from __future__ import annotations

from understudy.decode.options import DecodeOptions
from understudy.step import Step, main


def run(options: DecodeOptions, step: Step) -> None:
    """Tune on the development set, decode the test sets, write a results line for each."""
    from understudy.decode.tune import tune_and_decode

    tune_and_decode(options, step)


if __name__ == "__main__":
    main(DecodeOptions, run, inputs=("model", "graph", "dev", "test"), unfingerprinted=("jobs", "cluster", "results"))
