"""Audio as it arrives to utterances, which pauses or their length end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class EndpointOptions:
    """How an utterance ends; all in seconds."""

    piece: float = 0.3
    """of audio that is searched at once: shorter answers sooner and costs more"""
    pause: float = 0.8
    """of silence after words; 0: it ends with the audio"""
    idle: float = 5.0
    """of silence without a word, which is then forgotten; 0: never"""
    longest: float = 30.0
    """an utterance is ended here whatever is said"""


@dataclass(frozen=True)
class Event:
    """News of what is heard."""

    final: bool
    """the utterance has ended, and its words stay"""
    start: float
    """of the utterance, seconds from the beginning of the audio"""
    heard: Any
    """what `EndpointedUtterance.so_far` or `finish` tells: with `words`, `empty` if the search found no way, and
    `rejected` if it was not sure enough of what it found. Words so far are told in any case"""


class EndpointedUtterance(Protocol):
    """What is heard of one utterance."""

    samples: int
    """so far"""

    def hear(self, samples: np.ndarray) -> bool:
        """Whether the words have changed."""

    @property
    def begun(self) -> bool:
        """Whether there are words."""

    @property
    def quiet(self) -> float:
        """Seconds of silence at the end of the best path."""

    def so_far(self) -> Any:
        """Words that may still change."""

    def finish(self) -> Any:
        """All words."""


def events(
    blocks: Iterable[np.ndarray], begin: Callable[[], EndpointedUtterance], patience: EndpointOptions, rate: int
) -> Iterator[Event]:
    """Whenever words change or stay.

    Of an utterance without words there is no event, unless there were no others: any audio has a last one. Of one that
    was rejected there is: it had words, which may have been told before.

    Args:
        blocks: samples, (length,) float32 each, of any length.
        begin: makes a new utterance.
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
