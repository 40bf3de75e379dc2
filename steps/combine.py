#!/usr/bin/env python3
r"""Make one teacher of several: the mean of their posteriors. It can be heard (targets, decoding), not trained on.

e.g.: steps/combine.py --models '[exp/teacher,exp/teacher.2,exp/teacher.3]' --out exp/teachers
      steps/make_targets.py --model exp/teachers …
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy import models
from understudy.stage import Step, UserError, fingerprint, log, main


@dataclass
class Options:
    """Several teachers as one."""

    models: list[Path]
    """two or more, of one tree; of any shape, and best of different seeds"""
    out: Path
    """folder of the ensemble"""

    def __post_init__(self) -> None:
        """Raise UserError where there is nothing to combine."""
        if len({path.resolve() for path in self.models}) != len(self.models) or len(self.models) < 2:
            raise UserError(f"--models {list(map(str, self.models))}: give at least two, and each once")


def run(options: Options, step: Step) -> None:
    """Read, check that they belong together, and write."""
    members = [models.load(path) for path in options.models]
    for path, member in zip(options.models, members):
        if different := fingerprint.differences(_hears(member), _hears(members[0])):
            raise UserError(
                f"{path}: does not go with {options.models[0]} ({'; '.join(different)}). Combine models of one tree."
            )
    # Labelled speech is that of the one that had most; they have most of it in common.
    most = max(members, key=lambda m: m.meta.get("labelled_hours") or 0)
    updates = sum(m.meta.get("updates") or 0 for m in members)
    together = models.Ensemble(members, {**most.meta, "updates": updates, "init": None, "seed": None})
    models.save(together, step.out)
    log.info("%d models, %d parameters", len(members), together.num_parameters)


def _hears(model: models.AcousticModel) -> dict[str, Any]:
    """What all members have in common, whatever their shape."""
    return {"inputs": model.inputs, "senones": model.senones, "tree": model.meta.get("tree")}


if __name__ == "__main__":
    main(Options, run, inputs=("models",))
