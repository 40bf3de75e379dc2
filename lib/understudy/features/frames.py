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


def stack(logmel: np.ndarray, offset: int = 0, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Stack three consecutive frames.

    Args:
        logmel: (frames, mels).
        offset: start this many 10 ms frames later, 0 to 2; the end is padded by repetition so that the
            number of stacked frames, and so the alignment, does not depend on it (training augmentation).
        start: first of the stacked frames to give.
        stop: the one after the last of them; None: all are given.

    Returns:
        (stop - start, 3 * mels), of all that there are, frames // 3.
    """
    stop = stacked_length(len(logmel)) if stop is None else stop
    frames = logmel[start * STACK + offset : stop * STACK + offset]
    if missing := (stop - start) * STACK - len(frames):
        frames = np.concatenate([frames, np.repeat(logmel[-1:], missing, axis=0)])
    return frames.reshape(stop - start, STACK * logmel.shape[1])
