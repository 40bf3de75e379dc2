"""Speech as a stream: Lhotse Shar, with senone labels and soft targets beside the features."""

from understudy.lazy import lazy

__getattr__, __all__ = lazy(
    __name__,
    {
        "check": ("damaged",),
        "write": ("write_shar",),
    },
)
