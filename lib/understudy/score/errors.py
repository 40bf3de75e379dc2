"""Word errors by minimum edit distance (kaldialign)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import kaldialign

Words = Sequence[str]
_GAP = "***"
NO_WORDS = "no WER, since the references have no words; {} words were heard"


@dataclass(frozen=True)
class WordErrors:
    """Counts of word errors over a test set."""

    words: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """Number of errors of all three kinds."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float | None:
        """Word error rate in %; None: the references have no words."""
        return 100.0 * self.errors / self.words if self.words else None

    def told(self) -> str:
        """Return the rate as a readable text, e.g. `WER 12.34 %`."""
        return NO_WORDS.format(self.errors) if self.wer is None else f"WER {self.wer:.2f} %"


def count(refs: Sequence[Words], hyps: Sequence[Words]) -> WordErrors:
    """Count word errors of hypotheses against references, in the same order.

    Raises:
        ValueError: their numbers differ.
    """
    total = {"sub": 0, "del": 0, "ins": 0}
    for ref, hyp in zip(refs, hyps, strict=True):
        found = kaldialign.edit_distance(list(ref), list(hyp))
        for kind in total:
            total[kind] += found[kind]
    return WordErrors(sum(map(len, refs)), total["sub"], total["del"], total["ins"])


def side_by_side(ref: Words, hyp: Words) -> str:
    """Return two lines, reference and hypothesis, aligned in columns; `***` where one has no word."""
    pairs = kaldialign.align(list(ref), list(hyp), _GAP)
    widths = [max(len(a), len(b)) for a, b in pairs]
    rows = (" ".join(p[i].ljust(n) for p, n in zip(pairs, widths, strict=True)).rstrip() for i in (0, 1))
    return "ref: {}\nhyp: {}".format(*rows)
