"""How well keywords are spotted: what is missed against what is falsely told, as less or more is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from understudy.step import UserError, atomic_path, counted

MARKS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""false alarms an hour that a summary tells the misses at"""


@dataclass(frozen=True)
class Told:
    """A keyword that was told."""

    misfit: float
    """the less, the surer"""
    true: bool
    """it was said"""


@dataclass(frozen=True)
class Point:
    """Where all is told that misfits by so much at most."""

    most_misfit: float
    """nats"""
    missed: int
    """of the keywords that were said"""
    false: int
    """that were told and not said"""


def judged(hits: Iterable[tuple[str, float]], said: Sequence[str]) -> list[Told]:
    """What was told of one utterance.

    A keyword is true as often as it was said, its best hits first; when in the utterance is not looked at (our choice:
    transcripts have no times).

    Args:
        hits: keyword and misfit of each.
        said: keywords, as often as the transcript has them.
    """
    left, found = Counter(said), []
    for text, misfit in sorted(hits, key=lambda hit: hit[1]):
        found.append(Told(misfit, left[text] > 0))
        left[text] -= 1
    return found


def curve(told: Iterable[Told], said: int) -> list[Point]:
    """From nothing told to all, a point for each misfit that there is."""
    points, true, false = [Point(0.0, said, 0)], 0, 0
    ordered = sorted(told, key=lambda one: one.misfit)
    for number, one in enumerate(ordered):
        true, false = true + one.true, false + (not one.true)
        if number + 1 == len(ordered) or ordered[number + 1].misfit != one.misfit:
            points.append(Point(one.misfit, said - true, false))
    return points


def summary(points: Sequence[Point], said: int, hours: float, operating: float | None) -> dict[str, Any]:
    """What keywords.json holds of a curve.

    Args:
        operating: the misfit that a folder tells at most.

    Raises:
        UserError: no keyword was said.
    """
    if not said or hours <= 0:
        raise UserError("no keyword is in the transcripts of the test set: nothing is to be measured. Choose others.")

    def at(point: Point) -> dict[str, float]:
        share, rate = 100 * point.missed / said, point.false / hours
        return {**asdict(point), "missed_percent": round(share, 2), "false_per_hour": round(rate, 3)}

    marks = {f"{most:g}": at([p for p in points if p.false <= most * hours][-1]) for most in MARKS}
    found = {"said": said, "hours": round(hours, 4), "at_most_false_per_hour": marks, "all": at(points[-1])}
    if operating is not None:
        found["operating"] = at([p for p in points if p.most_misfit <= operating][-1])
    return found


def picture(points: Sequence[Point], said: int, hours: float, path: Path) -> None:
    """Misses over false alarms."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.step([p.false / hours for p in points], [100 * p.missed / said for p in points], where="post")
    axes.set(xlabel="false alarms an hour", ylabel=f"missed, % of {counted(said, 'keyword')} said", ylim=(0, 100))
    axes.set_xscale("symlog", linthresh=max(1 / hours, 0.1))
    axes.set_xlim(0)
    axes.grid(alpha=0.3)
    with atomic_path(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], dpi=110)
