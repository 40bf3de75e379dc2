#!/usr/bin/env python3
r"""Spot keywords in a test set with a shipped student: misses against false alarms.

e.g.: steps/spot_keywords.py --device exp/device/networks/float32 --keywords keywords.txt \
    --test data/feats/test.jsonl.gz --out exp/device/keywords
"""

from __future__ import annotations

from understudy.device.files import DESCRIPTION
from understudy.ship.options import SpottingOptions
from understudy.step import Step, main


def run(options: SpottingOptions, step: Step) -> None:
    """Spot the keywords, count misses and false alarms, draw the curve."""
    from understudy.ship.spotting import spot

    spot(options, step.out)


if __name__ == "__main__":
    main(SpottingOptions, run, inputs=("device", "keywords", "test", "words"), files_read={"device": (DESCRIPTION,)})
