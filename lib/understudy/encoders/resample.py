"""Resampling of an encoder's frames, mostly of 20 ms, to our frames of 30 ms.

The rule (our choice): a frame of ours is the linear interpolation, at its centre, of the two frames of the encoder
whose centres are around it. Centres are those of receptive fields. Frame m of ours stacks three log-mel frames, whose
windows are centred 80, 240 and 400 samples after 480 m; so its own centre is 480 m + 240. The centre of an encoder's
frame k is middle + hop · k, where `middle` is half of the receptive field, less the padding before the beginning. The
encoder's first frame also serves before its centre, and the last after it, for less than a hop.
"""

from __future__ import annotations

import numpy as np

from understudy.features.frames import FRAME_SHIFT, SAMPLE_RATE, STACK

SHIFT = round(FRAME_SHIFT * SAMPLE_RATE) * STACK
"""Samples from one frame of ours to the next."""


def at_our_frames(rows: np.ndarray, first: int, last: int, begin: int, middle: float, hop: int) -> np.ndarray:
    """Interpolate the frames `first` to `last` (excluded) of a cut, (last - first, dims) float32.

    Args:
        rows: (frames, dims) of the encoder, for a window.
        first: first frame of ours.
        last: the frame of ours after the last one.
        begin: sample of the cut at which the window begins.
        middle: see `Encoder`.
        hop: see `Encoder`.
    """
    at = (SHIFT * np.arange(first, last) + SHIFT / 2 - begin - middle) / hop
    at = np.clip(at, 0, len(rows) - 1)
    before = np.floor(at).astype(np.int64)
    share = (at - before).astype(np.float32)[:, None]
    return (1 - share) * rows[before] + share * rows[np.minimum(before + 1, len(rows) - 1)]
