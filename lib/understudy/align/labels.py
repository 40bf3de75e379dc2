"""From phone segments at 10 ms to phones, contexts and senones at 30 ms."""

from __future__ import annotations

import numpy as np

from understudy.features.frames import STACK


def to_stacked(segments: np.ndarray, frames: int) -> np.ndarray | None:
    """Round segments to stacked frames, at least one frame a phone.

    Args:
        segments: (phones, 3): phone, first 10 ms frame, frame after the last.
        frames: stacked frames of the cut.

    Returns:
        (phones, 3) in stacked frames, contiguous from 0 to `frames`; None if there are more phones than frames.
    """
    if len(segments) > frames:
        return None
    ends = np.rint(segments[:, 2] / STACK).astype(np.int64)
    ends[-1] = frames
    count = np.arange(1, len(ends) + 1)
    # Push ends apart to the right, then keep them from running past the end: one frame a phone at least.
    ends = np.maximum.accumulate(np.maximum(ends, 1) - count) + count
    ends = np.minimum(ends, frames - (len(ends) - count))
    return np.stack([segments[:, 0], np.r_[0, ends[:-1]], ends], 1)


def contexts(segments: np.ndarray) -> np.ndarray:
    """(phones, 3) stacked segments to (frames, 4): left phone, phone, right phone, pdf-class (0 entry, 1 loop)."""
    phones = segments[:, 0]
    triples = np.stack([np.r_[0, phones[:-1]], phones, np.r_[phones[1:], 0]], 1)
    lengths = segments[:, 2] - segments[:, 1]
    rows = np.repeat(triples, lengths, axis=0)
    loop = np.ones((len(rows), 1), np.int64)
    loop[segments[:, 1]] = 0
    return np.concatenate([rows, loop], 1)
