"""A part of a set: a few hours of it, nested, so that every smaller part lies in every larger one."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from lhotse.cut import Cut

from understudy.corpus.build import is_perturbed, original_id, read_cuts, write_cuts
from understudy.step import UserError, atomic_path

Unit = Literal["utterance", "speaker"]


def unit_of(cut: Cut, by: Unit) -> str:
    """What is taken or left as a whole: an utterance with its copies at other speeds, or all of a speaker.

    Raises:
        UserError: by speaker, and the cut has none.
    """
    if by == "utterance":
        return original_id(cut)
    if not cut.supervisions or cut.supervisions[0].speaker is None:
        raise UserError(f"cut {cut.id}: no speaker in its supervision. Choose by utterance, or name the speakers.")
    return cut.supervisions[0].speaker


def choose(cuts: Iterable[Cut], hours: float, seed: int, by: Unit = "utterance") -> tuple[set[str], float]:
    """Units in an order drawn by their names and the seed, until there are `hours` of speech.

    The order does not depend on how many hours are asked for: more hours only add units. Copies at other speeds are
    not counted.

    Returns:
        The units, and the hours that they come to (the last unit takes them beyond `hours`).

    Raises:
        UserError: there is less speech.
    """
    seconds: dict[str, float] = defaultdict(float)
    for cut in cuts:
        if not is_perturbed(cut):
            seconds[unit_of(cut, by)] += cut.duration
    chosen, total = set(), 0.0
    for unit in sorted(seconds, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest()):
        if total >= hours * 3600:
            break
        chosen.add(unit)
        total += seconds[unit]
    if hours <= 0 or total < hours * 3600:
        raise UserError(f"{hours} hours asked for: give more than 0, and at most the {total / 3600:.3f} that there are")
    return chosen, total / 3600


def write_part(manifest: Path, folder: Path, keep: Callable[[Cut], bool]) -> int:
    """Write the cuts of a manifest that are kept as one of the same name, and their features' normaliser beside it.

    Returns the number of cuts.
    """
    count = write_cuts(folder / manifest.name, filter(keep, read_cuts(manifest)))
    normaliser = manifest.parent / "normaliser.json"
    if normaliser.exists():
        with atomic_path(folder / normaliser.name) as partial:
            shutil.copyfile(normaliser, partial)
    return count


def some(manifests: Iterable[Path], most: int, seed: int) -> list[Cut]:
    """At most so many cuts, any of the manifests equally likely (reservoir sampling: they are read once)."""
    draw, cuts = random.Random(seed), chain.from_iterable(map(read_cuts, manifests))
    kept = list(islice(cuts, most))
    for number, cut in enumerate(cuts, start=most):
        if (place := draw.randint(0, number)) < most:
            kept[place] = cut
    return kept


def evenly(cuts: Iterable[Cut], number: int) -> list[Cut]:
    """As many cuts as `number`, the first of each speaker, then the second of each, and so on; 0: all.

    They stay in their order. A cut without a speaker is one of its own.
    """
    cuts = list(cuts)
    heard: Counter[str] = Counter()
    rounds = []
    for place, cut in enumerate(cuts):
        name = speaker_of(cut)
        rounds.append((heard[name], place))
        heard[name] += 1
    chosen = sorted(place for _, place in sorted(rounds)[: number or None])
    return [cuts[place] for place in chosen]


def speaker_of(cut: Cut) -> str:
    """The speaker's name, or the cut's own where there is none."""
    return (cut.supervisions[0].speaker if cut.supervisions else None) or cut.id
