"""Acoustic models, one by one or several heard as one, and their folders."""

from understudy.models.acoustic import AcousticModel, ModelOptions
from understudy.models.ensemble import Ensemble
from understudy.models.folder import check_tree, load, load_any, save, weights_fingerprint

__all__ = [
    "AcousticModel", "Ensemble", "ModelOptions", "check_tree", "load", "load_any", "save", "weights_fingerprint",
]  # fmt: skip
