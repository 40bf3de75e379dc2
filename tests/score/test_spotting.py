"""Curves of keywords against a count of what every threshold tells."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.score.spotting import Told, curve, judged, picture, summary
from understudy.step import UserError


def test_a_keyword_is_true_as_often_as_it_was_said_its_best_hits_first() -> None:
    hits = [("GO", 0.9), ("GO", 0.2), ("STOP", 0.1), ("GO", 0.5)]
    assert judged(hits, ["GO", "GO"]) == [Told(0.1, False), Told(0.2, True), Told(0.5, True), Told(0.9, False)]
    assert judged([], ["GO"]) == [] and judged([("GO", 1.0)], []) == [Told(1.0, False)]


def test_each_point_counts_what_its_threshold_tells() -> None:
    rng = np.random.default_rng(1)
    told = [Told(round(float(rng.gamma(2.0 if true else 4.0, 0.3)), 1), true) for true in rng.random(200) < 0.4]
    said = sum(one.true for one in told) + 7
    points = curve(told, said)
    assert points[0].missed == said and points[-1].missed == 7 and points[-1].false == sum(not t.true for t in told)
    assert len({p.most_misfit for p in points[1:]}) == len({t.misfit for t in told}) == len(points) - 1
    for point in points[1:]:
        at = [one for one in told if one.misfit <= point.most_misfit]
        assert point.missed == said - sum(one.true for one in at) and point.false == sum(not one.true for one in at)


def test_the_summary_tells_the_fewest_misses_of_so_many_false_alarms(tmp_path) -> None:
    told = [Told(0.1, True), Told(0.2, False), Told(0.3, True), Told(0.4, False), Told(0.5, False), Told(0.6, True)]
    found = summary(curve(told, 4), 4, 0.5, 0.35)
    marks = {most: (at["missed"], at["false"]) for most, at in found["at_most_false_per_hour"].items()}
    assert marks == {"0.1": (3, 0), "0.3": (3, 0), "1": (3, 0), "3": (2, 1), "10": (1, 3), "30": (1, 3), "100": (1, 3)}
    assert found["operating"]["missed_percent"] == 50.0 and found["operating"]["false_per_hour"] == 2.0
    assert found["all"]["missed_percent"] == 25.0 and found["said"] == 4
    picture(curve(told, 4), 4, 0.5, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_said_is_told() -> None:
    with pytest.raises(UserError, match="no keyword is in the transcripts"):
        summary(curve([], 0), 0, 1.0, None)
