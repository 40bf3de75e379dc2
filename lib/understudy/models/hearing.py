"""What a model hears: features of the kind that it was trained on, and of no other."""

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
    """Features of cuts as a model hears them, (frames, inputs) each.

    Raises:
        UserError: they are of another kind than what the model was trained on, or cannot be read.
    """
    for cut in cuts:
        check_kind(f"cut {cut.id}", kind_of(cut), model)
    return [torch.from_numpy(load_stacked(cut, normaliser)) for cut in cuts]


def check_kind(where: str | Path, kind: Kind, model: AcousticModel | Ensemble) -> None:
    """Whether features are of the kind that a model was trained on.

    Args:
        where: they are, for errors.

    Raises:
        UserError: they are not; both kinds are named.
    """
    if kind.digest != digest_in(known := hears(model)):
        raise UserError(
            f"{where}: has features of {kind.name}, and the model was trained on {known}. Give the manifests that it "
            "was trained on, or others made with the same options; an encoder whose weights changed is another."
        )


def hears(model: AcousticModel | Ensemble) -> str:
    """The name of the kind that a model was trained on."""
    return model.meta.get(FEATURES, LOGMELS.name)


def meta_of(kind: Kind) -> dict[str, str]:
    """What a model's `meta` says of it."""
    return {} if kind == LOGMELS else {FEATURES: kind.name}
