"""What the frames are that a cut's features hold, and how many of those that models hear they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from understudy.features.frames import STACK, stacked_length
from understudy.features.logmel import NUM_MELS

if TYPE_CHECKING:
    from lhotse.cut import Cut

ENCODER = "understudy-encoder "
"""What the type of an encoder's features begins with, in a manifest; a digest, a colon and words for people follow"""

LOG_PROBABILITIES = "log-probabilities"
"""What the words for people end with, where an encoder's features are those of the classes that it recognises"""


@dataclass(frozen=True)
class Kind:
    """Log-mels, or the features of an encoder; its name is no part of what it is, as folders may be renamed."""

    name: str = field(compare=False)
    """as people read it, after the digest"""
    stack: int
    """stored frames in one of 30 ms"""
    channels: int
    """numbers in a stored frame"""
    digest: str = field(init=False)
    """of all that an encoder's features depend on"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_in(self.name))

    @property
    def inputs(self) -> int:
        """Numbers in a frame that a model hears."""
        return self.stack * self.channels


def digest_in(name: str) -> str:
    """What of a kind's name tells it from others."""
    return name.partition(":")[0]


LOGMELS = Kind("log-mels", STACK, NUM_MELS)


def kind_of(cut: Cut) -> Kind:
    """Of a cut with features."""
    if cut.features.type.startswith(ENCODER):
        return Kind(cut.features.type.removeprefix(ENCODER), 1, cut.features.num_features)
    return LOGMELS


def stacked_frames(cut: Cut) -> int:
    """Frames of 30 ms of a cut with features: of log-mels and of an encoder as many.

    Lhotse's own count of 30 ms frames is that of the duration, rounded; ours is that of log-mels, a third rounded down.
    """
    return stacked_length(cut.num_frames) if kind_of(cut) == LOGMELS else cut.features.num_frames
