"""Division of speech among ranks and threads: the batches of an update, and the utterances of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from understudy.data.batches import Span
from understudy.step import ranks

Update = list[list[Span]]
"""Batches whose gradients are added up."""


class MicroBatch(NamedTuple):
    """The spans of utterances that one thread of one rank processes at a time."""

    spans: list[Span]
    weight: float
    """share of the update's frames; 0: a dummy for a rank that has no utterance in this update"""


def updates(order: Iterable[list[Span]], accumulate: int, splits_batches: bool) -> Iterator[Update]:
    """Yield the updates of this rank in a pass, the same number at each rank.

    Args:
        order: batches of the pass.
        accumulate: batches in an update.
        splits_batches: whether all ranks share each batch. Otherwise each has batches of its own; where their number
            is not divisible, some from the beginning of the pass are used a second time.
    """
    groups = _by(accumulate, order)
    if splits_batches:
        yield from groups
        return
    rank, count = ranks.rank(), ranks.world_size()
    first: Update = []
    for together in _by(count, groups):
        first = first or together
        together += (first * count)[: count - len(together)]
        yield together[rank]


def _by(size: int, items: Iterable) -> Iterator[list]:
    stream = iter(items)
    while some := list(islice(stream, size)):
        yield some


def micro_batches(update: Update, threads: int, splits_batches: bool) -> list[MicroBatch]:
    """Return this rank's parts of an update: at most one for each thread and batch, at least one."""
    rank, count = ranks.rank(), ranks.world_size()
    total, found = sum(_frames(spans) for spans in update), []
    for spans in update:
        for thread in range(threads):
            mine = spans[rank * threads + thread :: count * threads] if splits_batches else spans[thread::threads]
            if mine:
                found.append(MicroBatch(mine, _frames(mine) / total))
    return found or [MicroBatch(update[0][:1], 0.0)]


def _frames(spans: list[Span]) -> int:
    return sum(span.stop - span.start for span in spans)
