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
        "kind": (
            "Kind",
            "kind_of",
            "stacked_frames",
        ),
        "load": (
            "load_frames",
            "load_logmel",
            "load_stacked",
        ),
        "normalise": ("Normaliser",),
    },
)
