"""Options of features from an encoder."""

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
    """An encoder, and how it is applied."""

    model: str
    """folder of a model of transformers, or of a Whisper of CTranslate2; or a name on the Hugging Face hub"""
    layer: int | None = None
    """layer whose outputs are the features, 0 being the input of the first; none: the encoder's output"""
    window: float = 30.0
    """seconds of a window, at most; longer cuts are processed in several windows"""
    context: float = 2.0
    """seconds at either end of a window that only serve as context, where a cut has several windows"""
    head: Literal["none", "ctc"] = "none"
    """ctc: features are not a layer's outputs but the log-probabilities of the letters or word pieces that the model
    recognises, none below e⁻¹⁰ (models of transformers that take samples)"""
    pad: bool = True
    """pad shorter cuts with silence to 30 s for a Whisper, as in its training; false: no padding, which makes other
    features in less time"""

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
    """Features from an encoder, besides those of stage 1."""

    cuts: list[Path]
    """cut manifests; each gives a manifest of the same name in --out"""
    out: Path
    """folder of the features"""
    encoder: EncoderOptions
    """the encoder"""
    normalise_on: str = "labelled"
    """the set whose mean and variance normalise all"""
    speeds: list[float] | None = None
    """extra copies of --perturb at these speeds, e.g. [0.9, 1.1]"""
    perturb: list[str] = field(default_factory=lambda: ["labelled"])
    """the sets that get the extra copies"""
    shard_size: PositiveInt = 100
    """cuts in a shard, the unit of resuming"""
    max_seconds: float = 60.0
    """seconds in a process's batch with its padding, at most; a longer window is a batch of its own"""
    threads: PositiveInt = 1
    """threads of a process"""
    jobs: PositiveInt = 2
    """processes; each has the encoder in memory"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where the processes run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name, or a named set does not exist."""
        check_names(self.cuts)
        if self.normalise_on not in self.names:
            raise UserError(f"--normalise-on {self.normalise_on}: not one of the sets {', '.join(self.names)}")
        if strangers := sorted({*self.perturb} - {*self.names}) if self.speeds else []:
            raise UserError(f"--perturb {' '.join(strangers)}: not one of the sets {', '.join(self.names)}")

    @property
    def names(self) -> list[str]:
        """Names of the sets."""
        return [set_name(path) for path in self.cuts]
