"""Speakers are shared out among the sets, so that none is in two."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from understudy.step import UserError, counted, few

Wish = float | list[str] | None
"""A share of all hours, names of speakers, or what is left"""


def wish_of(value: float | list[int | str] | str | None) -> Wish:
    """What an option says: names may be parted by commas, and be numbers."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [str(name) for name in value] if isinstance(value, list) else value


def share_out(
    seconds: Mapping[str, float], transcribed: set[str], wishes: Mapping[str, Wish], seed: int
) -> dict[str, list[str]]:
    """Speakers of each set, sorted; those that are in none are left out of it.

    Named speakers come first. Of the others, in an order drawn by their names and the seed, a set takes some until its
    share of the hours is met as nearly as whole speakers can, and at least one. What is left is labelled and unlabelled
    speech, as far as these have no share of their own: labelled of the speakers who are transcribed, if that has none.

    Args:
        seconds: speech of each speaker.
        transcribed: the speakers of whom there is some with its words.
        wishes: of the sets that get some, "labelled", "unlabelled", "dev" and "test".

    Raises:
        UserError: a share is none, a name is unknown or in two sets, or too few speakers are left for a set.
    """
    _check(seconds, wishes)
    named = {name: sorted(wish) for name, wish in wishes.items() if isinstance(wish, list)}
    taken = {speaker for members in named.values() for speaker in members}
    order = sorted(seconds.keys() - taken, key=lambda one: hashlib.sha256(f"{seed} {one}".encode()).digest())
    sets, total = {name: named.get(name, []) for name in wishes}, sum(seconds.values())
    for name in ("test", "dev", "labelled", "unlabelled"):
        share = wishes.get(name)
        if not isinstance(share, float) or share == 0:
            continue
        fit = order if name == "unlabelled" else [one for one in order if one in transcribed]
        sets[name] = _first(fit, seconds, share * total)
        order = [one for one in order if one not in sets[name]]
    for name in ("labelled", "unlabelled"):
        if name in wishes and wishes[name] is None:
            sets[name] = [one for one in order if name == "unlabelled" or one in transcribed]
            order = [one for one in order if one not in sets[name]]
    for name, members in sets.items():
        if not members and name != "unlabelled" and wishes[name] != 0:
            raise UserError(_too_few(name, seconds, transcribed))
    return {name: sorted(members) for name, members in sets.items()}


def _first(order: list[str], seconds: Mapping[str, float], goal: float) -> list[str]:
    """The first speakers, one at least, whose speech comes nearest to the goal."""
    chosen, heard = order[:1], sum(seconds[one] for one in order[:1])
    for one in order[1:]:
        if abs(heard + seconds[one] - goal) >= abs(heard - goal):
            break
        chosen.append(one)
        heard += seconds[one]
    return chosen


def _check(seconds: Mapping[str, float], wishes: Mapping[str, Wish]) -> None:
    shares = {name: wish for name, wish in wishes.items() if isinstance(wish, float)}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise UserError(f"--{name} {share:g}: must be a share from 0 to 1, or speakers ({share:g},).")
    if sum(shares.values()) > 1 + 1e-9:
        parts = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise UserError(f"the shares come to {sum(shares.values()):g}, more than all there is: {parts}.")
    home: dict[str, str] = {}
    for name, wish in wishes.items():
        for speaker in wish if isinstance(wish, list) else []:
            if speaker not in seconds:
                raise UserError(f"--{name} {speaker}: there is no such speaker; there are {few(sorted(seconds), 8)}.")
            if home.setdefault(speaker, name) != name:
                raise UserError(f"speaker {speaker} is in both {home[speaker]} and {name}: results would flatter.")


def _too_few(name: str, seconds: Mapping[str, float], transcribed: set[str]) -> str:
    many = f"{counted(len(seconds), 'speaker')}, {len(transcribed)} with transcripts"
    way = f"Give --{name} names of speakers, other shares, or --{name}-path."
    if not transcribed:
        way = "Transcripts stand beside the audio, or in a column or file of the corpus: see --help."
    return f"no speaker is left for {name}: there are {many}, and none may be in two sets. {way}"
