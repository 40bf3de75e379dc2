"""A check whether a trained model is better than chance on the dev set, and advice where it is not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

ADVICE = (
    "This model has not learnt its task. Likely causes, the likeliest first: levels of speakers or sets that differ; "
    "labels of another corpus or tree; labels that are misaligned, or a wrong lexicon; too large a learning rate "
    "(--train.learning_rate {rate:g}); too few updates ({updates}); features that are normalised on something else. "
    "Look at the levels that steps/validate_corpus.py tells, at the alignments (report.json beside them), and at the "
    "losses in {folder}/log.txt (last: train {train}, dev {dev:.3f}): where train falls and dev does not, dev differs "
    "from what was learnt from, in levels, labels or normalisation; where neither falls, labels or updates are wrong."
)
"""The advice that follows the failures. The order of causes is our choice: the commonest and the soonest checked first.
"""


@dataclass(frozen=True)
class Chance:
    """Chance levels of a labelled set: a guess among all senones, and always the commonest senone."""

    senones: int
    frames: int
    commonest: int
    """frames of the most frequent senone"""

    @classmethod
    def of(cls, labels: Iterable[np.ndarray], senones: int) -> Chance:
        """Count labels.

        Args:
            labels: (frames,) senones of each utterance.
            senones: number of senones.
        """
        counts = np.zeros(senones, np.int64)
        for rows in labels:
            counts += np.bincount(rows.astype(np.int64), minlength=senones)
        return cls(senones, int(counts.sum()), int(counts.max()))

    @property
    def log(self) -> float:
        """Cross-entropy of a guess among all senones, nats a frame."""
        return math.log(self.senones)

    @property
    def share(self) -> float:
        """Share of the frames that are right if the answer is always the commonest senone."""
        return self.commonest / self.frames

    def failures(self, look: dict[str, Any], cross_entropy: bool = True) -> list[str]:
        """Return sentences on what is no better than chance in an evaluation of the set; [] for a good model.

        Args:
            look: `dev` (nats a frame) and `dev_accuracy` (share of frames right), as in a model's history.
            cross_entropy: whether `dev` is a cross-entropy; other criteria have no such bound.
        """
        found, right = [], look["dev_accuracy"]
        if cross_entropy and look["dev"] > self.log:
            found.append(
                f"dev loss {look['dev']:.2f} nats a frame, more than log({self.senones} senones) = {self.log:.2f}, "
                "which a guess among all of them has"
            )
        # A network that has learnt nothing but the priors reaches this accuracy.
        if right <= self.share:
            found.append(
                f"{100 * right:.1f} % of dev frames right, and {100 * self.share:.1f} % would be by always saying "
                "the commonest senone"
            )
        return found
