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
    """Architecture of an acoustic model."""

    layers: int = 4
    """number of layers"""
    cells: int = 256
    """cells of an LSTM layer (in each direction), or width of a time-delay layer"""
    bidirectional: bool = False
    """LSTMs in both directions, for a teacher"""
    centred: bool = False
    """subtract a bidirectional model's mean input over the utterance, which removes the channel and some of the
    speaker (like cepstral mean normalisation, but of log-mels: our choice); in training on chunks, over the chunk"""
    delay: int = 0
    """frames by which a unidirectional model's output is late (Kaldi's target-delay): its look-ahead"""
    projection: int = 0
    """width that an LSTM layer's outputs, and so its recurrent state, are projected to (Sak et al. 2014); 0: none"""
    dropout: float = 0.2
    """dropout after each layer in training, with one mask for all frames of an utterance (Gal and Ghahramani 2016)"""
    kind: Literal["lstm", "tdnnf", "cooccurrence"] = "lstm"
    """LSTM, for students, which stream, and for teachers; factorised time-delay network, for teachers; or a table that
    maps classes of a foreign inventory to senones, which steps/map_posteriors.py counts"""
    bottleneck: int = 0
    """width between the two factors of a time-delay layer; 0: an eighth of the layer's width"""

    def __post_init__(self) -> None:
        """Raise UserError for values that no network can have."""
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
    """Mapping of a foreign model's classes to senones, by counting."""

    labelled: Path
    """cut manifest of the labelled speech, with posteriors of another inventory as features
    (steps/make_encoder_features.py --encoder.head ctc)"""
    labels: Path
    """folder of its senone labels, and of the tree"""
    out: Path
    """folder of the model"""
    smoothing: PositiveFloat = 10.0
    """frames added to each class, distributed over senones as all labels are, so that a class that is rare or never
    seen has the priors as its distribution"""


@dataclass
class CombineOptions:
    """Combination of several teachers into an ensemble."""

    models: list[Path]
    """folders of two or more models of one tree, of any architecture, best with different seeds"""
    out: Path
    """folder of the ensemble"""

    def __post_init__(self) -> None:
        """Raise UserError where there is nothing to combine."""
        check_several("models", self.models)
