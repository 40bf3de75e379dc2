"""The speakers: eSpeak's human-like variants at several pitches and rates, shared out over the sets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from espeak import Voice

from understudy.step import UserError

# Left out: whispers, robots and machines, croaking and childish voices, and near copies of others
# (a family such as Gene and Gene2 has one member here): a voice of the test set must have no double in training.
_VARIANTS = [
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene",
    "Hugo", "Jacky", "Lee", "Mario", "Michael", "Mike", "Nguyen", "Reed", "Storm", "adam",
    "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "david", "ed", "edward", "f1",
    "f2", "f3", "f4", "f5", "grandma", "grandpa", "gustave", "ian", "iven", "john",
    "klatt", "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max",
    "michel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "shelby",
    "steph", "travis", "victor",
]  # fmt: skip
_MIN_VOICES = 10
_SHARES = {"labelled": 0.175, "unlabelled": 0.525, "dev": 0.1, "test": 0.2}


def roster(num_voices: int, seed: int) -> dict[str, list[Voice]]:
    """Voices of each set. No voice and no variant is in two sets, and most voices have no transcripts.

    With more voices than variants, a variant speaks again at another pitch and rate within its set.

    Raises:
        UserError: too few voices to give every set some.
    """
    if num_voices < _MIN_VOICES:
        raise UserError(f"--voices {num_voices}: every set needs speakers of its own; give {_MIN_VOICES} or more.")
    rng = np.random.default_rng([seed, 11])
    variants = _shares([_VARIANTS[i] for i in rng.permutation(len(_VARIANTS))])
    voices = _shares(list(range(num_voices)))
    return {name: [_voice(name, place, variants[name], rng) for place in range(len(voices[name]))] for name in _SHARES}


def _shares(things: list) -> dict[str, list]:
    bounds = np.round(np.cumsum([0.0, *_SHARES.values()]) * len(things)).astype(int)
    return {name: things[start:end] for name, (start, end) in zip(_SHARES, pairwise(bounds), strict=True)}


def _voice(name: str, place: int, variants: list[str], rng: np.random.Generator) -> Voice:
    variant = variants[place % len(variants)]
    speaker = f"{name[:2]}{place:03d}-{variant.lower()}"
    pitch, pitch_range = int(rng.integers(32, 69)), int(rng.integers(35, 66))
    return Voice(speaker, variant, pitch, pitch_range, int(rng.integers(140, 211)))
