"""How sure a recogniser is that there was speech: the same arithmetic wherever it runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np


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


def is_rejected(confidence: float | None, least: float | None) -> bool:
    """Whether words are not told; `least` None: all are."""
    return least is not None and confidence is not None and confidence < least


def sureness(confidence: float) -> str:
    """As people are told it."""
    return f"the recogniser is not sure that there are any (confidence {confidence:.2f})"
