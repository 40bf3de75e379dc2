"""Options of acoustic models and of ensembles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.step import UserError


@dataclass
class ModelOptions:
    """Shape of an acoustic model."""

    layers: int = 4
    """LSTM layers"""
    cells: int = 256
    """cells of a layer (of each direction)"""
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


@dataclass
class CombineOptions:
    """Several teachers as one."""

    models: list[Path]
    """two or more, of one tree; of any shape, and best of different seeds"""
    out: Path
    """folder of the ensemble"""

    def __post_init__(self) -> None:
        """Raise UserError where there is nothing to combine."""
        if len({path.resolve() for path in self.models}) != len(self.models) or len(self.models) < 2:
            raise UserError(f"--models {list(map(str, self.models))}: give at least two, and each once")
