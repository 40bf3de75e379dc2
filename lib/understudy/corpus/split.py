"""Splitting a corpus by speaker into labelled, unlabelled, dev and test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from understudy.step import UserError


def split_speakers(speakers: Iterable[str], labelled_share: float, num_dev: int, seed: int) -> dict[str, list[str]]:
    """Share out training speakers: `num_dev` to dev, a share of the rest labelled, the others unlabelled.

    Returns "labelled", "unlabelled" (may be empty) and "dev", each sorted. The same seed and speakers give
    the same split, in whatever order they come.

    Raises:
        UserError: the share is not in (0, 1], or too few speakers are left.
    """
    pool = sorted(set(speakers))
    if not 0 < labelled_share <= 1:
        raise UserError(f"labelled share {labelled_share}: must be above 0 and at most 1.")
    if not 0 < num_dev < len(pool):
        raise UserError(f"{num_dev} dev speakers of {len(pool)} training speakers: keep one for training.")
    Random(seed).shuffle(pool)
    dev, rest = pool[:num_dev], pool[num_dev:]
    num_labelled = max(1, round(labelled_share * len(rest)))
    sets = {"labelled": rest[:num_labelled], "unlabelled": rest[num_labelled:], "dev": dev}
    return {name: sorted(members) for name, members in sets.items()}


def set_of_speakers(sets: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The set of each speaker.

    Raises:
        UserError: a speaker is in two sets.
    """
    found: dict[str, str] = {}
    for name, speakers in sets.items():
        for speaker in speakers:
            if found.setdefault(speaker, name) != name:
                raise UserError(
                    f"speaker {speaker} is in both {found[speaker]} and {name}: "
                    "results would flatter the model. Give every speaker one set."
                )
    return found
