"""Alternatives to the best path: word sequences drawn from the lattice of an utterance that has been searched."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .best_path import Beams
from .net import Net
from .tokens import TokenSearch
from .word_confidence import DRAWS

_SEED = 1


class LatticeBeams(NamedTuple):
    """Beams (nats) of the search that makes the lattice, and its limits of active states: see `tokens.Beams`."""

    search: float
    output: float
    min_active: int
    max_active: int


class Alternatives:
    """Draws alternatives with one decoding graph."""

    def __init__(self, net: Net, beams: Beams, output: float) -> None:
        """`output`: beam of the lattices, nats."""
        self._net = net
        self._beams = LatticeBeams(beams.beam, output, beams.min_active, beams.max_active)

    def draw(self, scores: np.ndarray) -> list[list[int]]:
        """Return outputs of `DRAWS` paths, drawn by probability under scores (frames, senones); [] if none is found."""
        tokens = TokenSearch(self._net, self._beams)
        tokens(scores)
        lattice = tokens.lattice(scores)
        if lattice is None:
            return []
        paths = lattice.draw(lattice.graph + lattice.acoustic, DRAWS, np.random.default_rng(_SEED))
        return [[number for number in outputs if number] for outputs in lattice.outputs[paths].tolist()]
