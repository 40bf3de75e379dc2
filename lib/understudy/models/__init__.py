"""Acoustic models by name, their sizes and costs."""

from understudy.models.acoustic import AcousticModel, ModelOptions, check_tree, load, save, weights_fingerprint

__all__ = ["AcousticModel", "ModelOptions", "check_tree", "load", "save", "weights_fingerprint"]
