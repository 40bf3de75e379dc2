"""Praat's TextGrid: stretches of time and what is said in them, in tiers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from understudy.intake.tables import read_text
from understudy.step import UserError

_USUAL = ("words", "word", "text", "transcript", "transcription", "utterances", "utterance", "sentence", "orthography")
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<![\w.\[])(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?![\w\]])')
"""A text in quotes, or a number that is no index in brackets: the long form says the same as the short one, with words
between that tell what comes next"""
Kind = TypeVar("Kind", float, str)


class Interval(NamedTuple):
    """In seconds, and its text."""

    start: float
    end: float
    text: str


def chosen_tier(path: Path, name: str | None) -> list[Interval]:
    """The tier of this name; of None, the only one of a file, or the one that is called as words usually are.

    Raises:
        UserError: the file is no TextGrid, or has no such tier.
    """
    tiers = read_tiers(path)
    usual = [one for one in tiers if one.lower() in _USUAL]
    if name is None and (len(tiers) == 1 or len(usual) == 1):
        name = usual[0] if usual else next(iter(tiers))
    if name is None or name not in tiers:
        wanted = "has several tiers" if name is None else f"has no tier {name!r}"
        raise UserError(f"{path}: {wanted}; there are {', '.join(tiers) or 'none with intervals'}. Choose by --tier.")
    return tiers[name]


def read_tiers(path: Path) -> dict[str, list[Interval]]:
    """All tiers of intervals by their names, in the long form of a TextGrid or the short one.

    Raises:
        UserError: the file is none, or breaks off.
    """
    tokens = [
        text.replace('""', '"') if not number else float(number) for text, number in _TOKEN.findall(read_text(path))
    ]
    if tokens[:2] != ["ooTextFile", "TextGrid"]:
        raise UserError(f"{path}: must be a TextGrid in Praat's text form, and does not begin as one. Save it as text.")
    tiers: dict[str, list[Interval]] = {}
    stream = iter(tokens[4:])  # after the times of the whole
    number, text = partial(_next, stream, float), partial(_next, stream, str)
    try:
        for _ in range(int(number())):
            kind, name, _, _, size = text(), text(), number(), number(), int(number())
            if kind == "IntervalTier":
                tiers[name] = [Interval(number(), number(), text()) for _ in range(size)]
            else:  # of points
                for _ in range(size):
                    number(), text()
    except (StopIteration, TypeError):
        raise UserError(f"{path}: breaks off, or is no TextGrid that Praat writes. Save it again.") from None
    return tiers


def _next(stream: Iterator[float | str], kind: type[Kind]) -> Kind:
    token = next(stream)
    if not isinstance(token, kind):
        raise TypeError(f"{token!r}: must be a {kind.__name__}")
    return token
