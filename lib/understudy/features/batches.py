"""Whole cuts that a network hears side by side, in the order in which they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lhotse.cut import Cut

from understudy.features.kind import stacked_frames


def consecutive(cuts: Iterable[Cut], max_frames: int, most: int | None = None) -> Iterator[list[Cut]]:
    """Batches of cuts in their order.

    Args:
        max_frames: stacked frames of a batch, padding counted; a longer cut is alone.
        most: cuts of a batch; None: any number.
    """
    batch: list[Cut] = []
    longest = 0
    for cut in cuts:
        length = stacked_frames(cut)
        if batch and (len(batch) == most or max(longest, length) * (len(batch) + 1) > max_frames):
            yield batch
            batch, longest = [], 0
        batch.append(cut)
        longest = max(longest, length)
    if batch:
        yield batch
