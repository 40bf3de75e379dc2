"""Acoustic models by name, their sizes and costs."""

from understudy.models.acoustic import AcousticModel, ModelOptions, load, save, weights_fingerprint

__all__ = ["AcousticModel", "ModelOptions", "load", "save", "weights_fingerprint"]
