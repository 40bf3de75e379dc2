"""Options of acoustic models and of ensembles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveFloat

from understudy.step import UserError


def check_several(option: str, paths: list[Path]) -> None:
    """Raise UserError where there is nothing to combine."""
    if len({path.resolve() for path in paths}) != len(paths) or len(paths) < 2:
        raise UserError(f"--{option} {list(map(str, paths))}: give at least two, and each once")


@dataclass
class ModelOptions:
    """Shape of an acoustic model."""

    layers: int = 4
    """of it"""
    cells: int = 256
    """cells of an LSTM layer (of each direction); of a time-delay network the width of a layer"""
    bidirectional: bool = False
    """a teacher hears the future"""
    centred: bool = False
    """a teacher's inputs lose their mean over the utterance (cepstral mean normalisation, of log-mels instead: our
    choice), and with it the channel and some of the speaker; in training on chunks, their mean over the chunk"""
    delay: int = 0
    """frames by which a unidirectional model's output is late (target_delay): so much future it hears"""
    projection: int = 0
    """width that a layer's outputs are projected to (Sak et al. 2014), which is what its state is; 0: the cells' own"""
    dropout: float = 0.2
    """after each layer, in training: the same cells through an utterance (Gal and Ghahramani 2016)"""
    kind: Literal["lstm", "tdnnf", "cooccurrence"] = "lstm"
    """LSTMs, which students are and stream; a factorised time-delay network, which a teacher may be; or a table of what
    classes of a foreign inventory mean, which steps/map_posteriors.py counts"""
    bottleneck: int = 0
    """width between the two factors of a time-delay layer; 0: an eighth of its own"""

    def __post_init__(self) -> None:
        """Raise UserError for what no network can be."""
        if min(self.layers, self.cells) < 1 or self.delay < 0 or not 0 <= self.dropout < 1:
            raise UserError("--model: layers and cells are at least 1, delay at least 0, dropout from 0 to less than 1")
        if self.kind != "lstm":
            asked = [name for name in ("bidirectional", "centred", "delay", "projection") if getattr(self, name)]
            if asked:
                raise UserError(f"--model.{asked[0]} is an LSTM's, and --model.kind is {self.kind}. Leave it out.")
        if self.kind == "tdnnf":
            if not 0 <= self.bottleneck < self.cells or self.cells < 2:
                raise UserError(
                    f"--model.bottleneck {self.bottleneck}: less than the {self.cells} cells, or 0 for an eighth"
                )
        elif self.bottleneck:
            raise UserError(
                f"--model.bottleneck is a time-delay network's, and --model.kind is {self.kind}. Leave it out."
            )


@dataclass
class MapOptions:
    """A teacher out of what a foreign model says, by counting."""

    labelled: Path
    """cut manifest with the posteriors of another inventory as features (steps/make_encoder_features.py
    --encoder.head ctc): the labelled speech"""
    labels: Path
    """folder of its senone labels, and of the tree"""
    out: Path
    """folder of the model"""
    smoothing: PositiveFloat = 10.0
    """frames that each class is counted for besides, spread as senones are in general: where a class is rare, or never
    said, it means no more than that"""


@dataclass
class CombineOptions:
    """Several teachers as one."""

    models: list[Path]
    """two or more, of one tree; of any shape, and best of different seeds"""
    out: Path
    """folder of the ensemble"""

    def __post_init__(self) -> None:
        """Raise UserError where there is nothing to combine."""
        check_several("models", self.models)
