"""Combination of several teachers into an ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from understudy import models
from understudy.models.options import CombineOptions
from understudy.step import UserError, fingerprint, log


def combine(options: CombineOptions, out: Path) -> None:
    """Read the models, check that they belong together, and write the ensemble.

    Raises:
        UserError: they have other inputs, features, senones or trees.
    """
    members = [models.load(path) for path in options.models]
    for path, member in zip(options.models, members):
        if different := fingerprint.differences(_hears(member), _hears(members[0])):
            raise UserError(
                f"{path}: does not go with {options.models[0]} ({'; '.join(different)}). Combine models of one tree."
            )
    # The labelled hours are those of the member with the most: members share most of their speech.
    most = max(members, key=lambda m: m.meta.get("labelled_hours") or 0)
    updates = sum(m.meta.get("updates") or 0 for m in members)
    warned = [f"{path}: {w}" for path, m in zip(options.models, members) for w in m.meta.get("warnings", [])]
    meta = {**most.meta, "updates": updates, "init": None, "seed": None, "warnings": warned}
    together = models.Ensemble(members, meta)
    models.save(together, out)
    log.info("%d models, %d parameters", len(members), together.num_parameters)


def _hears(model: models.AcousticModel) -> dict[str, Any]:
    """Return what all members must have in common, whatever their architecture."""
    return {
        "inputs": model.inputs,
        "senones": model.senones,
        "tree": model.meta.get("tree"),
        "features": models.hears(model),
    }
