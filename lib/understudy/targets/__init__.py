"""Lattice-free soft targets: computing, storing, reading."""

from understudy.lazy import lazy

__getattr__, __all__ = lazy(
    __name__,
    {
        "store": (
            "TargetReader",
            "TargetWriter",
        ),
    },
)
