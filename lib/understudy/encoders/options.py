"""Options of the features of an encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt

from understudy.corpus.names import check_names, set_name
from understudy.parallel.options import ClusterOptions
from understudy.step import UserError


@dataclass(frozen=True)
class EncoderOptions:
    """An encoder, and how it hears."""

    model: str
    """folder of a model of transformers, or of a Whisper of CTranslate2; or a name on the Hugging Face hub"""
    layer: int | None = None
    """whose outputs are taken, 0 being what goes into the first; none: what the encoder puts out"""
    window: float = 30.0
    """seconds that it hears at once, at most"""
    context: float = 2.0
    """seconds on either side of a window that are heard and not taken, where a cut is longer than one"""
    head: Literal["none", "ctc"] = "none"
    """ctc: in place of a layer, the log-probabilities of the letters or pieces that the model recognises (of models of
    transformers that hear samples), none below e⁻¹⁰"""
    pad: bool = True
    """a Whisper hears 30 s at once, silence behind a shorter cut, as it was trained; false: the cut alone, which makes
    other features in less time"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        if self.layer is not None and self.layer < 0:
            raise UserError(f"--encoder.layer must be 0 or more, got {self.layer}. Leave it out for the last.")
        if self.head == "ctc" and self.layer is not None:
            raise UserError(f"--encoder.head ctc is above the last layer; leave out --encoder.layer {self.layer}.")
        if self.context < 0 or self.window < 1 + 2 * self.context:
            raise UserError(
                f"--encoder.window must be at least a second longer than twice --encoder.context, got {self.window:g} "
                f"and {self.context:g}"
            )


@dataclass
class EncoderFeatureOptions:
    """Features of an encoder, beside those of stage 1."""

    cuts: list[Path]
    """cut manifests; each gives a manifest of the same name in --out"""
    out: Path
    """folder of the features"""
    encoder: EncoderOptions
    """what hears them"""
    normalise_on: str = "labelled"
    """the set whose mean and variance normalise all"""
    speeds: list[float] | None = None
    """extra copies of --perturb at these speeds, e.g. [0.9, 1.1]"""
    perturb: list[str] = field(default_factory=lambda: ["labelled"])
    """the sets that get the extra copies"""
    shard_size: PositiveInt = 100
    """cuts in a shard, the unit of resuming"""
    max_seconds: float = 60.0
    """seconds that a process hears side by side, at most, silence counted; what is longer is alone"""
    threads: PositiveInt = 1
    """of a process"""
    jobs: PositiveInt = 2
    """processes; each has the encoder in memory"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name, or one is not there."""
        check_names(self.cuts)
        if self.normalise_on not in self.names:
            raise UserError(f"--normalise-on {self.normalise_on}: not one of the sets {', '.join(self.names)}")
        if strangers := sorted({*self.perturb} - {*self.names}) if self.speeds else []:
            raise UserError(f"--perturb {' '.join(strangers)}: not one of the sets {', '.join(self.names)}")

    @property
    def names(self) -> list[str]:
        """Of the sets."""
        return [set_name(path) for path in self.cuts]
