"""Sizes of a new recipe: those of the recipes whose sizes were tried, between them by the hours of speech."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from understudy.step import counted

FEW_SPEAKERS = 5
"""With fewer labelled speakers than these, models learn the voices by heart"""
_LARGE = 50.0
"""hours of labelled speech from which on models are those of LibriSpeech's recipe, for a GPU"""


class _Known(NamedTuple):
    """A recipe whose sizes were tried."""

    name: str
    labelled_hours: float
    all_hours: float
    """labelled and unlabelled"""
    senones: int
    teacher_epochs: int
    realigned_epochs: int
    student_epochs: int
    distil_epochs: int


_AN4 = _Known("AN4", 0.15, 0.63, 500, 24, 12, 40, 14)
_MINI = _Known("mini LibriSpeech", 1.2, 4.9, 700, 14, 6, 14, 4)
_LIBRI = _Known("LibriSpeech", 100.0, 960.0, 3000, 12, 4, 15, 3)  # planned at this size; its stages are tried
_TRIED = (_AN4, _MINI, _LIBRI)
_DIGITS = _Known("free spoken digits", 0.13, 0.23, 64, 4, 3, 8, 10)
"""two labelled voices"""


_LEARNING_ON = ("realigned", "distil", "longer")
"""Configurations of what models do otherwise when they learn on"""


@dataclass(frozen=True)
class Sizes:
    """Numbers of a recipe's run.sh, the recipe whose configurations it begins with, and why."""

    senones: int
    teacher_epochs: int
    realigned_epochs: int
    student_epochs: int
    distil_epochs: int
    large: bool
    """models and batches of LibriSpeech's recipe"""
    few: bool
    """labelled speakers: more speeds, fewer passes"""
    why: tuple[str, ...]
    """sentences"""


def sizes_of(report: dict[str, Any]) -> Sizes:
    """Of what a preparation found: hours and speakers of the sets, and pairs of phones in the lexicon."""
    sets = report["sets"]
    labelled, speakers = sets["labelled"]["hours"], sets["labelled"]["speakers"]
    every = labelled + sets.get("unlabelled", {}).get("hours", 0.0)
    few = speakers < FEW_SPEAKERS
    senones, most = _between("senones", "labelled_hours", labelled), 2 * report["phone_pairs"]
    passes = {
        name: _between(name, "all_hours" if name == "distil_epochs" else "labelled_hours", hours)
        for name, hours in (("teacher_epochs", labelled), ("realigned_epochs", labelled),
                            ("student_epochs", labelled), ("distil_epochs", every))
    }  # fmt: skip
    why = [_why(labelled, every)]
    if senones > most:
        why.append(f"There are no more than {most} senones, two for each pair of phones in a word: the words are few.")
    if few:
        passes = {name: min(value, getattr(_DIGITS, name)) for name, value in passes.items()}
        why.append(
            f"{counted(speakers, 'labelled speaker')} are few: other voices are made of them by four "
            f"speeds, and there are no more passes than for {_DIGITS.name}, since after more a model knows these alone."
        )
    if labelled >= _LARGE:
        why.append("Models and batches are those of LibriSpeech's recipe: such hours want a GPU.")
    return Sizes(min(senones, most), **passes, large=labelled >= _LARGE, few=few, why=tuple(why))


def configurations(sizes: Sizes) -> dict[str, str]:
    """The recipe that each configuration of a model is copied from, by its name."""
    every = ("teacher", "teacher-encoder", "teacher-encoder-mmi", "student", "large", *_LEARNING_ON)
    if sizes.large:
        return dict.fromkeys(every, "librispeech")
    few = dict.fromkeys(("teacher", "student"), "free_spoken_digits") if sizes.few else {}
    return dict.fromkeys(every, "mini_librispeech") | few


def _between(what: str, by: str, hours: float) -> int:
    """A number of the recipes that were tried, between the two nearest by the logarithm of hours; not beyond them."""
    low, high = _neighbours(by, hours)
    if low is high:
        return getattr(low, what)
    part = math.log(hours / getattr(low, by)) / math.log(getattr(high, by) / getattr(low, by))
    return round(getattr(low, what) * (getattr(high, what) / getattr(low, what)) ** part)


def _neighbours(by: str, hours: float) -> tuple[_Known, _Known]:
    smaller = [one for one in _TRIED if getattr(one, by) <= hours]
    larger = [one for one in _TRIED if getattr(one, by) > hours]
    return (smaller or larger)[-1 if smaller else 0], (larger or smaller)[0 if larger else -1]


def _why(labelled: float, every: float) -> str:
    low, high = _neighbours("labelled_hours", labelled)
    heard = f"{labelled:.2g} h are labelled" if labelled < 10 else f"{labelled:.0f} h are labelled"
    if every > labelled:
        heard += f", {every - labelled:.2g} h are not" if every < 10 else f", {every - labelled:.0f} h are not"
    if low is high:
        where = "less than" if labelled < low.labelled_hours else "more than"
        return f"{heard}: {where} {low.name}'s {low.labelled_hours:g} h, whose sizes these are."
    ends = [f"{one.name}'s {one.labelled_hours:g} h" for one in (low, high)]
    return f"{heard}: between {' and '.join(ends)}, and so are these sizes."
