"""Endpointing: audio is divided into utterances as it arrives; a pause ends one, or its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class EndpointOptions:
    """What ends an utterance."""

    piece: float = 0.3
    """seconds of audio searched at once: shorter pieces give words sooner and cost more"""
    pause: float = 0.8
    """seconds of silence after words that end an utterance; 0: only the end of the audio does"""
    idle: float = 5.0
    """seconds of silence without a word after which it is dropped; 0: never"""
    longest: float = 30.0
    """seconds after which an utterance ends whatever is said"""


@dataclass(frozen=True)
class Event:
    """A change of the words of an utterance."""

    final: bool
    """whether the utterance has ended: its words change no more"""
    start: float
    """beginning of the utterance, seconds from that of the audio"""
    heard: Any
    """what `EndpointedUtterance.so_far` or `finish` returns: it has `words`, `empty` (the search found no path) and
    `rejected` (the confidence was too low). Words so far are reported whatever their confidence"""


class EndpointedUtterance(Protocol):
    """The recognition of one utterance."""

    samples: int
    """samples heard so far"""

    def hear(self, samples: np.ndarray) -> bool:
        """Take in samples (length,); return whether the words have changed."""

    @property
    def begun(self) -> bool:
        """Whether there are words."""

    @property
    def quiet(self) -> float:
        """Seconds of silence at the end of the best path."""

    def so_far(self) -> Any:
        """Return the words so far, which may still change."""

    def finish(self) -> Any:
        """End the utterance and return all its words."""


def events(
    blocks: Iterable[np.ndarray], begin: Callable[[], EndpointedUtterance], patience: EndpointOptions, rate: int
) -> Iterator[Event]:
    """Yield an event whenever words change or become final.

    An utterance without words yields none, unless there has been no final event when the audio ends: any audio has one.
    A rejected utterance does yield one: it had words, which may have been reported before.

    Args:
        blocks: samples, (length,) float32 each, of any length.
        begin: makes the recognition of a new utterance.
        rate: samples a second.
    """
    piece = round(patience.piece * rate)
    utterance, waiting, start, told = begin(), np.zeros(0, np.float32), 0, False
    for block in blocks:
        waiting = np.concatenate([waiting, block])
        while len(waiting) >= piece:
            changed = utterance.hear(waiting[:piece])
            waiting = waiting[piece:]
            if _over(utterance, patience, rate):
                last = utterance.finish()
                if last.words or last.empty or last.rejected:
                    told = True
                    yield Event(True, start / rate, last)
                start += utterance.samples
                utterance = begin()
            elif changed:
                yield Event(False, start / rate, utterance.so_far())
    utterance.hear(waiting)
    last = utterance.finish()
    if last.words or last.empty or last.rejected or not told:
        yield Event(True, start / rate, last)


def _over(utterance: EndpointedUtterance, patience: EndpointOptions, rate: int) -> bool:
    most = patience.pause if utterance.begun else patience.idle
    return 0 < most <= utterance.quiet or utterance.samples / rate + patience.piece > patience.longest
