"""The kind of features that a model was trained on, which is the only kind that it accepts."""

from __future__ import annotations

from pathlib import Path

import torch
from lhotse.cut import Cut
from torch import Tensor

from understudy.features import Kind, Normaliser, kind_of, load_stacked
from understudy.features.kind import LOGMELS, digest_in
from understudy.models.acoustic import AcousticModel
from understudy.models.ensemble import Ensemble
from understudy.step import UserError

FEATURES = "features"
"""Entry of a model's `meta`: the name of the features' kind; models on log-mels have none"""


def heard(model: AcousticModel | Ensemble, cuts: list[Cut], normaliser: Normaliser) -> list[Tensor]:
    """Load features of cuts as the model's input, (frames, inputs) each.

    Raises:
        UserError: they are not of the kind that the model was trained on, or cannot be read.
    """
    for cut in cuts:
        check_kind(f"cut {cut.id}", kind_of(cut), model)
    return [torch.from_numpy(load_stacked(cut, normaliser)) for cut in cuts]


def check_kind(where: str | Path, kind: Kind, model: AcousticModel | Ensemble) -> None:
    """Check that features are of the kind that a model was trained on.

    Args:
        where: place of the features, for messages.

    Raises:
        UserError: they are not; the message names both kinds.
    """
    if kind.digest != digest_in(known := hears(model)):
        raise UserError(
            f"{where}: has features of {kind.name}, and the model was trained on {known}. Give the manifests that it "
            "was trained on, or others made with the same options; an encoder whose weights changed is another."
        )


def hears(model: AcousticModel | Ensemble) -> str:
    """Return the name of the kind of features that a model was trained on."""
    return model.meta.get(FEATURES, LOGMELS.name)


def meta_of(kind: Kind) -> dict[str, str]:
    """Return the entry for this kind in a model's `meta`; empty for log-mels."""
    return {} if kind == LOGMELS else {FEATURES: kind.name}
