"""Alignments against reference times (a synthesiser's own, or a hand's)."""

from __future__ import annotations

from dataclasses import dataclass, field

import kaldialign
import numpy as np

_GAP = "*"


@dataclass
class BoundaryCheck:
    """Distances of phone boundaries from their references, over utterances."""

    silence: str = "SIL"
    distances: list[float] = field(default_factory=list)
    references: int = 0
    """boundaries of the references, matched or not"""

    def add(self, found: list[tuple[str, float]], reference: list[tuple[str, float]]) -> None:
        """Add one utterance: phones with their start times in seconds, silence among them.

        Phones are matched by edit distance; a boundary is compared where the phones on both of its sides
        match. The pronunciations may differ, so the rest is counted and not compared.
        """
        pairs = kaldialign.align([p for p, _ in reference], [p for p, _ in found], _GAP)
        self.references += max(0, len(reference) - 1)
        i = j = 0
        before = False
        for ref, hyp in pairs:
            same = ref == hyp
            if same and before:
                self.distances.append(abs(found[j][1] - reference[i][1]))
            before = same
            i, j = i + (ref != _GAP), j + (hyp != _GAP)

    def within(self, seconds: float) -> float:
        """Share of the compared boundaries within `seconds`."""
        return float(np.mean(np.array(self.distances) <= seconds + 1e-9)) if self.distances else 0.0

    def summary(self) -> dict:
        """Counts and shares, for the log and for JSON."""
        return {
            "boundaries": self.references,
            "compared": len(self.distances),
            "within_20ms": round(self.within(0.02), 4),
            "within_40ms": round(self.within(0.04), 4),
            "median_ms": round(1000 * float(np.median(self.distances or [0])), 1),
        }
