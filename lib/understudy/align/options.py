"""Options of flat start, and of the tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt

from understudy.align.archive import SHARD_SIZE
from understudy.corpus.names import check_names
from understudy.parallel.options import ClusterOptions


@dataclass
class MonoOptions:
    """Stage 3, first part: alignment from nothing."""

    feats: list[Path]
    """cut manifests with features; the mixtures are trained on the first"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the alignments"""
    iterations: PositiveInt = 35
    """EM iterations"""
    gaussians: PositiveInt = 1000
    """Gaussians in all"""
    train_hours: float = 2.0
    """hours to train on, chosen at random (speed-perturbed copies are left out)"""
    seed: int = 1
    threads: PositiveInt = 2
    """torch threads of the training"""
    shard_size: PositiveInt = SHARD_SIZE
    """cuts in a shard, the unit of resuming, once the mixtures are trained"""
    jobs: PositiveInt = 2
    """processes that align"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.feats)


@dataclass
class TreeOptions:
    """Stage 3, second part: tree and labels."""

    ali: Path
    """folder of steps/align_mono.py"""
    feats: list[Path]
    """cut manifests with features; the tree is grown on the first"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the tree and the labels"""
    senones: PositiveInt = 600
    """most senones"""
    min_count: float = 60.0
    """fewest 30 ms frames of a senone"""
    min_gain: float = 60.0
    """least gain of a split, nats"""
    context: Literal["both", "left"] = "both"
    """neighbours that a senone may hang on: both phones, or the one before, with which graphs are far smaller"""
