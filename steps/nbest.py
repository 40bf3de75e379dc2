#!/usr/bin/env python3
r"""List the n best word sequences of each utterance, from the word lattices of a decoding, and count their oracle.

e.g.: steps/nbest.py --decoded exp/student/decode/test --lang exp/lang --cuts data/feats/test.jsonl.gz --n 100 \
    --out exp/student/nbest
"""

from __future__ import annotations

from understudy.decode.options import NbestOptions
from understudy.step import Step, main


def run(options: NbestOptions, step: Step) -> None:
    """Write a line for each utterance, best first; count the errors of the best of the first 1, 2, 5, 10, … of them."""
    from understudy.decode.nbest import list_nbest

    list_nbest(options, step.out)


if __name__ == "__main__":
    main(NbestOptions, run, inputs=("decoded", "lang", "cuts"))
