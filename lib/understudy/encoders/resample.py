"""From an encoder's frames, of 20 ms mostly, to ours of 30 ms.

The rule (our choice): a frame of ours is the linear interpolation, at its middle, of the two frames of the encoder
whose middles are around it. Middles are those of what is heard. Frame m of ours stacks three log-mels, whose windows
have their middle at 80, 240 and 400 samples from 480 m on; so its own is at 480 m + 240. Frame k of an encoder has it
at middle + hop · k, where `middle` is half of the receptive field, less what is padded before the beginning. Before the
first of its frames, and after the last, these are repeated: that is for less than a hop.
"""

from __future__ import annotations

import numpy as np

from understudy.features.frames import FRAME_SHIFT, SAMPLE_RATE, STACK

SHIFT = round(FRAME_SHIFT * SAMPLE_RATE) * STACK
"""Samples from one frame of ours to the next."""


def at_our_frames(rows: np.ndarray, first: int, last: int, begin: int, middle: float, hop: int) -> np.ndarray:
    """Frames `first` to `last` of a cut, (last - first, dims) float32.

    Args:
        rows: (frames, dims) of the encoder, for a window.
        begin: sample of the cut that the window begins with.
        middle: see `Encoder`.
        hop: see `Encoder`.
    """
    at = (SHIFT * np.arange(first, last) + SHIFT / 2 - begin - middle) / hop
    at = np.clip(at, 0, len(rows) - 1)
    before = np.floor(at).astype(np.int64)
    share = (at - before).astype(np.float32)[:, None]
    return (1 - share) * rows[before] + share * rows[np.minimum(before + 1, len(rows) - 1)]
