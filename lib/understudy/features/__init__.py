"""Log-mel extraction, normalisation, stacking: the one place that converts seconds, samples and frames."""

from understudy.lazy import lazy

__getattr__, __all__ = lazy(
    __name__,
    {
        "frames": (
            "FRAME_SHIFT",
            "STACK",
            "STACKED_SHIFT",
            "stack",
            "stacked_length",
        ),
        "load": (
            "load_logmel",
            "load_stacked",
        ),
        "normalise": ("Normaliser",),
    },
)
