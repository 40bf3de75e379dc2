"""Evaluation of keyword spotting: misses against false alarms, over the detection threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from understudy.step import UserError, atomic_path, counted

MARKS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""False alarms an hour at which a summary states the misses"""


@dataclass(frozen=True)
class Told:
    """A detected keyword."""

    misfit: float
    """nats; lower values are more confident"""
    true: bool
    """whether it was said"""


@dataclass(frozen=True)
class Point:
    """An operating point: all keywords up to a misfit are detected."""

    most_misfit: float
    """nats"""
    missed: int
    """number of keywords that were said and not detected"""
    false: int
    """number of keywords that were detected and not said"""


def judged(hits: Iterable[tuple[str, float]], said: Sequence[str]) -> list[Told]:
    """Judge the detections in one utterance.

    A keyword has as many true detections as it was said, the best ones first; times are ignored (our choice:
    transcripts have none).

    Args:
        hits: keyword and misfit of each detection.
        said: keywords, as often as they are in the transcript.
    """
    left, found = Counter(said), []
    for text, misfit in sorted(hits, key=lambda hit: hit[1]):
        found.append(Told(misfit, left[text] > 0))
        left[text] -= 1
    return found


def curve(told: Iterable[Told], said: int) -> list[Point]:
    """Return the operating points for all thresholds, rising from no detections to all.

    Args:
        told: the detections.
        said: how many keywords were said.
    """
    points, true, false = [Point(0.0, said, 0)], 0, 0
    ordered = sorted(told, key=lambda one: one.misfit)
    for number, one in enumerate(ordered):
        true, false = true + one.true, false + (not one.true)
        if number + 1 == len(ordered) or ordered[number + 1].misfit != one.misfit:
            points.append(Point(one.misfit, said - true, false))
    return points


def summary(points: Sequence[Point], said: int, hours: float, operating: float | None) -> dict[str, Any]:
    """Return the summary of a curve for keywords.json.

    Args:
        points: the curve.
        said: how many keywords were said.
        hours: duration of the speech.
        operating: the detector's own threshold, nats; None: it has none.

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
    """Draw misses over false alarms."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.step([p.false / hours for p in points], [100 * p.missed / said for p in points], where="post")
    axes.set(xlabel="false alarms an hour", ylabel=f"missed, % of {counted(said, 'keyword')} said", ylim=(0, 100))
    axes.set_xscale("symlog", linthresh=max(1 / hours, 0.1))
    axes.set_xlim(0)
    axes.grid(alpha=0.3)
    with atomic_path(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], dpi=110)
