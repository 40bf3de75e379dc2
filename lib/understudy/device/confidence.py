"""How sure a recogniser is that there was speech: the same arithmetic wherever it runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

ALL_TAKEN = "what is none of the sentences will be taken for one: the folder has no most_misfit (steps/pack.py --dev)"
"""What a user of sentences should know of folders that cannot reject"""


def confidence(scores: np.ndarray, path: Sequence[int], silences: Collection[int]) -> float | None:
    """By how much a frame of the best path is likelier than silence, in the mean over the frames that are not silence.

    Our choice, of several that tell speech from music and noise about as well (posteriors of the path's senones or
    phones, their entropy, the distance from the best senone): what is the same for all senones of a frame makes no
    difference, so that scores need not be normalised, and what else could have been said makes none, so that speech
    that is hard to understand is not taken for noise.

    Args:
        scores: (frames, senones), as the search had them: in nats, scaled.
        path: senone of each frame.
        silences: senones of silence.

    Returns:
        None where all is silence.
    """
    chosen, silent = np.asarray(path, np.int64), sorted(silences)
    spoken = np.flatnonzero(~np.isin(chosen, silent))
    if not len(spoken):
        return None
    rows = scores[spoken].astype(np.float64)
    return float(np.mean(rows[np.arange(len(rows)), chosen[spoken]] - rows[:, silent].max(1)))


def misfit(scores: np.ndarray, path: Sequence[int], silences: Collection[int]) -> float | None:
    """By how much the best senone of a frame is likelier than the path's, in the mean over the frames of speech.

    So it tells speech that is none of some sentences from these. Source: "on-line garbage" of Bourlard, D'hoore and
    Boite, "Optimizing recognition and rejection performance in wordspotting systems", 1994, with the best senone in
    place of the mean of several. Our choice: frames count in which either of the two is not silence.

    Args:
        scores, path, silences: as of `confidence`.

    Returns:
        None where all is silence.
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
    """When words are not told."""

    least_confidence: float | None = None
    """None: all are told"""
    most_misfit: float | None = None
    """of sentences that alone are heard; None: all that is said is taken for one of them"""

    def judge(self, scores: np.ndarray, path: Sequence[int], silences: Collection[int]) -> tuple[float | None, str]:
        """The confidence of a path with words, and why they are not told; nothing: they are."""
        sure = confidence(scores, path, silences)
        if is_rejected(sure, self.least_confidence):
            return sure, sureness(sure or 0.0)
        apart = None if self.most_misfit is None else misfit(scores, path, silences)
        if apart is not None and self.most_misfit is not None and apart > self.most_misfit:
            return sure, f"it is none of the sentences (misfit {apart:.2f} nats, {self.most_misfit:.2f} at most)"
        return sure, ""


def is_rejected(confidence: float | None, least: float | None) -> bool:
    """Whether words are not told; `least` None: all are."""
    return least is not None and confidence is not None and confidence < least


def sureness(confidence: float) -> str:
    """As people are told it."""
    return f"the recogniser is not sure that there are any (confidence {confidence:.2f})"
