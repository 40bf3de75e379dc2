"""Lattice-free soft targets: computing, storing, reading."""

from understudy.targets.store import TargetReader, TargetWriter

__all__ = ["TargetReader", "TargetWriter"]
