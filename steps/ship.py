#!/usr/bin/env python3
r"""Bring a student to a device: networks in float32 and in 8 bits, with the run-time; what they recognise and cost.

e.g.: steps/ship.py --recogniser exp/recogniser --calibrate data/feats/unlabelled.jsonl.gz \
    --test '[data/feats/test.jsonl.gz]' --system student-distilled --out exp/device

--recogniser is a folder of steps/pack.py. --out gets a folder for each precision, which needs nothing but itself and
the packages of its requirements.txt: <folder>/understudy-listen recording.wav
"""

from __future__ import annotations

from understudy.ship.options import ShipOptions
from understudy.step import Step, main


def run(options: ShipOptions, step: Step) -> None:
    """Export, check, recognise the test sets, write a results line for each."""
    from understudy.ship.precisions import ship

    ship(options, step)


if __name__ == "__main__":
    main(ShipOptions, run, inputs=("recogniser", "calibrate", "test", "dev"), unfingerprinted=("results",))
