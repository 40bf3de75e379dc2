#!/usr/bin/env python3
r"""Measure a student's robustness: a test set softer, louder, in noise, in rooms, by telephone; false words in sounds.

e.g.: steps/robustness.py --device exp/device/networks/float32 --test data/feats/test.jsonl.gz \
    --system student-distilled-float32 --out exp/device/robustness

--device is a folder that steps/ship.py made; its own run-time recognises all. Each condition is a line of --results,
which steps/report_device.py and steps/report_page.py show. A run resumes after a kill.
"""

from __future__ import annotations

from understudy.device.files import DESCRIPTION
from understudy.ship.options import RobustnessOptions
from understudy.step import Step, main


def run(options: RobustnessOptions, step: Step) -> None:
    """Recognise, score, write a results line for each condition."""
    from understudy.ship.robustness_results import hear_all

    hear_all(options, step)


if __name__ == "__main__":
    main(
        RobustnessOptions, run, inputs=("device", "test", "talkers", "nonspeech_audio"), unfingerprinted=("results",),
        files_read={"device": (DESCRIPTION,)},
    )  # fmt: skip
