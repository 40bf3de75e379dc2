"""Options of features, and of speech that is heard elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec

from understudy.features.logmel import BACKENDS


@dataclass
class RoomNoiseOptions:
    """Where speech is heard."""

    in_room: float = 0.5
    """share of utterances that are heard in a room"""
    in_noise: float = 0.8
    """share of utterances that are heard in noise"""
    snr: tuple[float, float] = (5.0, 20.0)
    """least and most signal-to-noise ratio, dB, drawn evenly"""
    rooms: int = 100
    """different rooms"""
    talkers: int = 4
    """utterances at once in the babble that serves as noise where no noise is given"""


@cache
def usual_backend() -> str:
    """As `logmel.default_backend`, by what packages say of themselves: to load torch and torchaudio takes seconds.

    They differ where torchaudio is installed for the torch that is here and does not load all the same; then
    `logmel.logmel` says so.
    """
    if find_spec("torchaudio") is None:
        return BACKENDS[1]
    try:
        wanted = [re.fullmatch(r"torch\s*\(?==([\w.]+)\)?", one) for one in metadata.requires("torchaudio") or []]
        here = metadata.version("torch").split("+")[0]
    except metadata.PackageNotFoundError:  # built by hand
        return BACKENDS[0]
    return BACKENDS[0] if all(one is None or one[1] == here for one in wanted) else BACKENDS[1]
