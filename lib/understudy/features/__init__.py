"""Log-mel extraction, normalisation, stacking: the one place that converts seconds, samples and frames."""

from understudy.features.frames import FRAME_SHIFT, STACK, STACKED_SHIFT, stack, stacked_length
from understudy.features.load import Normaliser, load_logmel, load_stacked

__all__ = [
    "FRAME_SHIFT", "STACK", "STACKED_SHIFT", "Normaliser", "load_logmel", "load_stacked", "stack", "stacked_length",
]  # fmt: skip
