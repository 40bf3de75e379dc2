"""Windows of cuts that are longer than an encoder's longest input."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, lcm
from typing import NamedTuple

from understudy.encoders.resample import SHIFT


class Window(NamedTuple):
    """A window of samples, and the frames that are taken from it."""

    begin: int
    """first sample"""
    end: int
    """the sample after the last"""
    first: int
    """first frame of 30 ms that is taken"""
    last: int
    """the frame after the last one that is taken"""


def windows_of(samples: int, frames: int, longest: int, context: int, hop: int) -> list[Window]:
    """Return windows that together take every frame of a cut once.

    Each begins at a multiple of the encoder's frame shift and of ours, so that its frames have the same times as those
    of the whole cut would have.

    Args:
        samples: samples of the cut.
        frames: 30 ms frames of the cut.
        longest: samples of a window, at most.
        context: samples at a window's edges that only serve as context, except at the ends of the cut.
        hop: samples from one frame of the encoder to the next.

    Raises:
        ValueError: `longest` is too short for the context.
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
