"""The best path by token passing alone, for graphs that lie in mapped files, which Kaldi's decoder cannot search."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .best_path import RETRIES, Beams, Best, Scores
from .net import Net
from .tokens import TokenSearch


class _Narrow(NamedTuple):
    """Beams of a search that keeps no more than the best path to each state."""

    search: float
    output: float
    min_active: int
    max_active: int


class TokenPathSearch:
    """The search of one utterance."""

    def __init__(self, net: Net, beams: Beams) -> None:
        self._net, self._beams = net, beams
        self._tokens = self._begun(beams)
        self._scores = Scores()
        self.widened = False
        """whether no path to an end of the graph was found at first"""

    def _begun(self, beams: Beams) -> TokenSearch:
        return TokenSearch(self._net, _Narrow(beams.beam, 0.0, beams.min_active, beams.max_active))

    def __call__(self, scores: np.ndarray) -> None:
        """Search on with (frames, senones) more scores."""
        if len(scores):
            self._scores.add(scores)
            self._tokens(scores)

    @property
    def scores(self) -> np.ndarray:
        """Scores of all frames so far, (frames, senones)."""
        return self._scores.all

    def so_far(self) -> Best | None:
        """Return the best path to any state; None: no path is left."""
        found = self._tokens.so_far()
        return None if found is None else Best(found[1], _some(found[0]))

    def finish(self) -> Best | None:
        """Return the best path to an end of the graph. If there is none, beams are doubled, twice; None: still none."""
        if not self._scores.frames:
            return Best([], [])
        beams, tokens, scores = self._beams, self._tokens, self._scores.all
        for _ in range(RETRIES + 1):
            lattice = tokens.lattice(scores)
            if lattice is not None:
                ((path, _),) = lattice.best((lattice.graph + lattice.acoustic)[None])
                return Best(lattice.senones[path[:-1]].tolist(), _some(lattice.outputs[path].tolist()))
            beams, self.widened = beams.wider(), True
            tokens = self._begun(beams)
            tokens(scores)
        return None


def _some(outputs: list[int]) -> list[int]:
    return [output for output in outputs if output]
