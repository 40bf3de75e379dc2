"""What else could have been said: word sequences drawn from a lattice of an utterance that was searched already."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .best_path import Beams
from .net import Net
from .tokens import TokenSearch
from .word_confidence import DRAWS

_SEED = 1


class LatticeBeams(NamedTuple):
    """How far the search looks for it."""

    search: float
    output: float
    min_active: int
    max_active: int


class Alternatives:
    """Of a graph."""

    def __init__(self, net: Net, beams: Beams, output: float) -> None:
        """`output`: beam of lattices, nats."""
        self._net = net
        self._beams = LatticeBeams(beams.beam, output, beams.min_active, beams.max_active)

    def draw(self, scores: np.ndarray) -> list[list[int]]:
        """Outputs of `DRAWS` paths, by their probability under scores (frames, senones); none where no way is found."""
        tokens = TokenSearch(self._net, self._beams)
        tokens(scores)
        lattice = tokens.lattice(scores)
        if lattice is None:
            return []
        paths = lattice.draw(lattice.graph + lattice.acoustic, DRAWS, np.random.default_rng(_SEED))
        return [[number for number in outputs if number] for outputs in lattice.outputs[paths].tolist()]
