"""Windows of a cut that is longer than what an encoder hears at once."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, lcm
from typing import NamedTuple

from understudy.encoders.resample import SHIFT


class Window(NamedTuple):
    """What is heard, and what is taken of it."""

    begin: int
    """sample"""
    end: int
    """sample"""
    first: int
    """frame of 30 ms"""
    last: int
    """the one after the last"""


def windows_of(samples: int, frames: int, longest: int, context: int, hop: int) -> list[Window]:
    """Windows that together take every frame of a cut once.

    Each begins at a whole number of the encoder's frames and of ours, so that its frames are at the times of those of
    the whole cut.

    Args:
        samples: of the cut.
        frames: of 30 ms, of the cut.
        longest: samples of a window, at most.
        context: samples at a window's edges that are heard and not taken, but at the ends of the cut.
        hop: samples from one frame of the encoder to the next.
    """
    if samples <= longest:
        return [Window(0, samples, 0, frames)]
    grid = lcm(hop, SHIFT)
    context = ceil(context / SHIFT) * SHIFT
    stride = (longest - 2 * context) // grid * grid
    if stride <= 0:
        raise ValueError(f"windows of {longest} samples with {context} of context on either side take nothing")
    count = ceil((samples - 2 * context) / stride)
    begins = [number * stride for number in range(count)]
    cuts = [0, *((begin + context) // SHIFT for begin in begins[1:]), frames]
    return [Window(b, min(b + longest, samples), *taken) for b, taken in zip(begins, pairwise(cuts), strict=True)]
