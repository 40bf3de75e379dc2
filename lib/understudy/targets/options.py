"""Options of soft targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveFloat, PositiveInt

from understudy.corpus.names import check_names
from understudy.decode.options import Beams
from understudy.models.options import check_several
from understudy.parallel.options import ClusterOptions
from understudy.step import UserError
from understudy.targets.codec import MOST_SENONES

LEAST = 3e-4
"""probability below which a senone is not stored (our choice: what is lost is a twentieth of a per cent of the mass)"""
MAX_FRAMES = 6000
"""stacked frames of a batch"""


def _check_k(k: int) -> None:
    """Raise UserError where so many senones of a frame cannot be stored."""
    if not 1 <= k <= MOST_SENONES:
        raise UserError(f"--k {k}: keep at least 1 and at most {MOST_SENONES} senones of a frame")


@dataclass
class TargetOptions:
    """Stage 6: soft targets."""

    model: Path
    """the teacher"""
    feats: list[Path]
    """cut manifests with features; each gives a folder of the same name in --out"""
    out: Path
    """folder of the targets"""
    k: int = 20
    """senones kept in a frame, at most"""
    least: float = LEAST
    """probability below which a senone is left out; 0: all k are kept"""
    supervision: Literal["soft", "denominator", "lattice", "best-path"] = "soft"
    """the network's posteriors, what a graph of all phone sequences makes of them, or what a search does"""
    labels: Path | None = None
    """folder of the labelled speech's senone labels, which such a graph is made from (denominator)"""
    graph: Path | None = None
    """folder of the decoding graph (lattice, best-path)"""
    acoustic_scale: float = 0.3
    """of the search, or of the denominator's scores"""
    prior_scale: float = 0.6
    """the same"""
    tuned: Path | None = None
    """folder of a decode of the teacher (steps/decode.py), whose scales, tuned on dev, the search takes instead"""
    beams: Beams = field(default_factory=lambda: Beams(search=13.0, output=8.0))
    """of the search"""
    shard_size: PositiveInt = 500
    """cuts in a shard, the unit of resuming"""
    max_frames: PositiveInt = MAX_FRAMES
    """stacked frames of a batch"""
    threads: PositiveInt = 1
    """torch threads of a process"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError where something that this kind takes was not given, or `k` cannot be stored."""
        _check_k(self.k)
        if self.supervision == "denominator" and self.labels is None:
            raise UserError(
                "--supervision denominator sums over phone sequences: give --labels, of the labelled speech"
            )
        if self.supervision in ("lattice", "best-path") and self.graph is None:
            raise UserError(
                f"--supervision {self.supervision} decodes: give --graph, the folder of steps/make_graph.py"
            )
        check_names(self.feats)


@dataclass
class CheckOptions:
    """What to check."""

    targets: list[Path] = field(default_factory=list)
    """folders of a set each"""
    remove: bool = False
    """remove the damaged shards, so that the step that made them, run as it was, makes them again"""


@dataclass
class CombineTargetsOptions:
    """Several teachers' soft targets as one."""

    targets: list[Path]
    """two or more folders of a set each, of the same speech"""
    out: Path
    """gets a folder with the name of the first"""
    weights: list[PositiveFloat] | None = None
    """of each in the mean; none: all alike"""
    k: int = 20
    """senones kept in a frame, at most"""
    least: float = LEAST
    """probability below which a senone is left out"""

    def __post_init__(self) -> None:
        """Raise UserError where there is nothing to combine, or weights are not of these."""
        check_several("targets", self.targets)
        if self.weights is not None and len(self.weights) != len(self.targets):
            raise UserError(f"--weights must be {len(self.targets)} numbers, one for each of --targets, got "
                            f"{len(self.weights)}")  # fmt: skip
        _check_k(self.k)

    @property
    def shares(self) -> list[float]:
        """Weights that add up to 1."""
        weights = self.weights or [1.0] * len(self.targets)
        return [weight / sum(weights) for weight in weights]


@dataclass
class SelectOptions:
    """Between stages 6 and 8: which unlabelled speech is learnt from."""

    cuts: Path
    """cut manifest with features"""
    targets: list[Path]
    """folders of its soft targets"""
    labels: Path
    """folder of the labels, whose tree.json says which senones are silence"""
    out: Path
    """folder of a manifest of the same name, of what is kept; features stay where they are"""
    reference: list[Path] = field(default_factory=list)
    """folders of the same teacher's soft targets of speech as it should be; none: the speech of --cuts itself"""
    second_teacher_targets: list[Path] = field(default_factory=list)
    """folders of another teacher's soft targets of all of this speech: what they disagree on is left out too"""
    fence: float = 1.5
    """what is as far above the reference's third quartile as so many times its interquartile range is left out, of each
    measure that has no limit of its own"""
    keep: float | None = None
    """share of the speech that is kept, that of least entropy, in place of a limit of the entropy"""
    max_entropy: float | None = None
    """nats a frame of speech"""
    max_silence: float | None = None
    """share of frames"""
    max_disagreement: float | None = None
    """Jensen–Shannon divergence of the two teachers, nats a frame of speech"""
    duplicates: Literal["drop", "keep"] = "drop"
    """what repeats another recording"""
    same: float = 0.4
    """share of the senones of speech that have to be those of the other one at the same times"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        for name in ("keep", "same"):
            if (value := getattr(self, name)) is not None and not 0 < value <= 1:
                raise UserError(f"--{name} {value:g}: it is above 0 and at most 1")
        if self.keep is not None and self.max_entropy is not None:
            raise UserError("--keep, --max-entropy: both limit the entropy; give one of them")
        if self.max_disagreement is not None and not self.second_teacher_targets:
            raise UserError("--max-disagreement: teachers disagree where there are two; give --second-teacher-targets")
        if self.fence < 0:
            raise UserError(f"--fence {self.fence:g}: it is at least 0")
