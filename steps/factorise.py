#!/usr/bin/env python3
r"""Make a smaller student from a trained one, with projected outputs of its layers; it has to be distilled again.

e.g.: steps/factorise.py --model exp/large-distilled --projection 96 --out exp/large-96-start
      steps/train.py --init exp/large-96-start --config conf/large.yaml --model.projection 96 … --out exp/large-96
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.step import Step, log, main


@dataclass
class Options:
    """Factorisation of a student."""

    model: Path
    """the trained student"""
    projection: int
    """width of its layers' outputs"""
    out: Path
    """folder of the smaller student"""


def run(options: Options, step: Step) -> None:
    """Factorise and write."""
    from understudy import models
    from understudy.ship.factorise import factorise

    model = models.load(options.model)
    small = factorise(model, options.projection)
    models.save(small, step.out)
    log.info("%d parameters instead of %d", small.num_parameters, model.num_parameters)


if __name__ == "__main__":
    main(Options, run, inputs=("model",))
