"""Confidence that there was speech, and misfit to the sentences of a grammar: the same wherever a recogniser runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

ALL_TAKEN = "what is none of the sentences will be taken for one: the folder has no most_misfit (steps/pack.py --dev)"
"""a warning to users of a grammar whose folder cannot reject"""


def confidence(scores: np.ndarray, path: Sequence[int], silences: Collection[int]) -> float | None:
    """Return how much likelier (nats) the best path is than silence, in the mean over its frames that are not silence.

    Our choice of several measures that tell speech from music and noise about equally well (posteriors of the path's
    senones or phones, their entropy, the distance from the best senone). A constant added to all senones of a frame
    changes nothing, so that scores need not be normalised; neither do competing words, so that speech that is hard to
    understand is not taken for noise.

    Args:
        scores: (frames, senones), as the search had them: in nats, scaled.
        path: senone of each frame.
        silences: senones of silence.

    Returns:
        The mean; None if all frames are silence.
    """
    chosen, silent = np.asarray(path, np.int64), sorted(silences)
    spoken = np.flatnonzero(~np.isin(chosen, silent))
    if not len(spoken):
        return None
    rows = scores[spoken].astype(np.float64)
    return float(np.mean(rows[np.arange(len(rows)), chosen[spoken]] - rows[:, silent].max(1)))


def misfit(scores: np.ndarray, path: Sequence[int], silences: Collection[int]) -> float | None:
    """Return how much likelier (nats) each frame's best senone is than the path's, in the mean over frames of speech.

    It tells speech outside a grammar from the grammar's sentences. Source: "on-line garbage" of Bourlard, D'hoore and
    Boite, "Optimizing recognition and rejection performance in wordspotting systems", 1994, with the best senone in
    place of the mean of several. Our choice: a frame counts if either of the two senones is not silence.

    Args:
        scores, path, silences: as in `confidence`.

    Returns:
        The mean; None if all frames are silence.
    """
    chosen, silent = np.asarray(path, np.int64), sorted(silences)
    best = scores[: len(chosen)].argmax(1)
    spoken = np.flatnonzero(~(np.isin(chosen, silent) & np.isin(best, silent)))
    if not len(spoken):
        return None
    rows = scores[spoken].astype(np.float64)
    places = np.arange(len(rows))
    return float(np.mean(rows[places, best[spoken]] - rows[places, chosen[spoken]]))


@dataclass(frozen=True)
class Rules:
    """Thresholds beyond which words are rejected."""

    least_confidence: float | None = None
    """least `confidence` of words; None: any is accepted"""
    most_misfit: float | None = None
    """greatest `misfit`, with a grammar; None: all speech is taken for one of its sentences"""

    def judge(self, scores: np.ndarray, path: Sequence[int], silences: Collection[int]) -> tuple[float | None, str]:
        """Return the confidence of a path with words, and why they are rejected; an empty reason: they are accepted."""
        sure = confidence(scores, path, silences)
        if is_rejected(sure, self.least_confidence):
            return sure, sureness(sure or 0.0)
        apart = None if self.most_misfit is None else misfit(scores, path, silences)
        if apart is not None and self.most_misfit is not None and apart > self.most_misfit:
            return sure, f"it is none of the sentences (misfit {apart:.2f} nats, {self.most_misfit:.2f} at most)"
        return sure, ""


def is_rejected(confidence: float | None, least: float | None) -> bool:
    """Whether words of this confidence are rejected; `least` None: none are."""
    return least is not None and confidence is not None and confidence < least


def sureness(confidence: float) -> str:
    """Return the reason for rejecting words of this confidence, as a message for the user."""
    return f"the recogniser is not sure that there are any (confidence {confidence:.2f})"
