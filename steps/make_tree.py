#!/usr/bin/env python3
"""Grow the phonetic decision tree from an alignment and write senone labels at 30 ms.

e.g.: steps/make_tree.py --ali exp/mono --feats '[data/feats/labelled.jsonl.gz]' --lang exp/lang --out exp/tree
"""

from __future__ import annotations

from understudy.align.options import TreeOptions
from understudy.lang.lexicon import LEXICON_FILES
from understudy.step import Step, main


def run(options: TreeOptions, step: Step) -> None:
    """Accumulate statistics, grow, label every set."""
    from understudy.align.tree_labels import grow_and_label

    grow_and_label(options, step.out)


if __name__ == "__main__":
    main(TreeOptions, run, inputs=("ali", "feats", "lang"), files_read={"lang": LEXICON_FILES})
