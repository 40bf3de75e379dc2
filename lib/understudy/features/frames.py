"""Frames are counted here and nowhere else: 10 ms frames, stacked by three to 30 ms."""

from __future__ import annotations

import numpy as np

from understudy.corpus.rate import SAMPLE_RATE

FRAME_SHIFT = 0.01
"""Seconds between log-mel frames."""
WINDOW = SAMPLE_RATE // 40
"""Samples of a log-mel frame, 25 ms."""
STACK = 3
"""Log-mel frames in one stacked frame."""
STACKED_SHIFT = FRAME_SHIFT * STACK
"""Seconds between stacked frames."""


def stacked_length(frames: int) -> int:
    """Stacked frames of a cut with `frames` log-mel frames; the last one or two are dropped (our choice)."""
    return frames // STACK


def stack(frames: np.ndarray, offset: int = 0, start: int = 0, stop: int | None = None, by: int = STACK) -> np.ndarray:
    """Stack consecutive frames.

    Args:
        frames: (frames, channels), such as log-mels.
        offset: start this many 10 ms frames later, 0 to 2; the end is padded by repetition so that the
            number of stacked frames, and so the alignment, does not depend on it (training augmentation).
        start: first of the stacked frames to give.
        stop: the one after the last of them; None: all are given.
        by: so many become one; 1 leaves them as they are.

    Returns:
        (stop - start, by * channels), of all that there are, frames // by.
    """
    stop = len(frames) // by if stop is None else stop
    taken = frames[start * by + offset : stop * by + offset]
    if missing := (stop - start) * by - len(taken):
        taken = np.concatenate([taken, np.repeat(frames[-1:], missing, axis=0)])
    return taken.reshape(stop - start, by * frames.shape[1])
