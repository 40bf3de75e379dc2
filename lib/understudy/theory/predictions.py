"""The predictions of our sketch of distillation, each as a function from cells to claims with a verdict.

A claim is tested in each of its cells (or pairs of neighbouring cells). In a cell it holds or fails if the 95 %
interval over seeds lies on one side, and is undecided otherwise; a claim that must hold exactly is tested in every
seed. About one interval in forty lies on a wrong side by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from understudy.step import UserError
from understudy.theory.linear import Array
from understudy.theory.simulate import Cell
from understudy.theory.statistics import Interval, mean, rank_correlation, ratio

Outcome = Literal["held", "failed", "undecided"]

ROUNDING = 1e-9
"""Rounding error of an equality between errors of size 1"""
STRONG = 0.7
"""The least rank correlation that we call a prediction"""
NEAR = 0.05
"""The share below which we call a quantity vanished, or a difference from the bound negligible"""


@dataclass(frozen=True)
class Claim:
    """A testable sentence, its measurement, and the numbers of cells in which it held, failed or was undecided."""

    prediction: str
    """number and name of the prediction that it belongs to"""
    statement: str
    measured: str
    held: int
    failed: int
    undecided: int = 0

    @property
    def verdict(self) -> str:
        """The verdict as a text, from the counts alone."""
        cells = self.held + self.failed + self.undecided
        if cells == 0:
            return "not tried"
        if self.held == cells:
            return "held" if cells == 1 else f"held (all {cells} cells)"
        if self.failed == cells:
            return "did not hold" if cells == 1 else f"did not hold (none of {cells} cells)"
        if cells == 1:
            return "undecided"
        others = [f"{n} {what}" for n, what in ((self.failed, "against"), (self.undecided, "undecided")) if n]
        return f"held in {self.held} of {cells} cells ({', '.join(others)})"


def all_claims(cells: Iterable[Cell]) -> list[Claim]:
    """Return the claims of all predictions, in the sketch's order.

    Raises:
        UserError: there are no cells.
    """
    unique = list({cell.key: cell for cell in cells}.values())
    if not unique:
        raise UserError("no cells to judge. Run the simulation first (stage 0).")
    return [claim for prediction in PREDICTIONS for claim in prediction(unique)]


# Outcomes


def exactly(slack: Array, size: Array) -> Outcome:
    """Test that values are not below zero in any seed, except for rounding of errors of size `size`."""
    return "held" if (slack >= -ROUNDING * (1 + size)).all() else "failed"


def positive(values: Array | Interval) -> Outcome:
    """Test that the mean over seeds is above zero."""
    found = values if isinstance(values, Interval) else mean(values)
    return "held" if found.low > 0 else "failed" if found.high <= 0 else "undecided"


def not_negative(values: Array) -> Outcome:
    """Test that the mean over seeds is not below zero, except for rounding."""
    found = mean(values)
    return (
        "held" if found.low >= -ROUNDING or (values >= -ROUNDING).all() else "failed" if found.high < 0 else "undecided"
    )


def within(found: Interval, low: float, high: float) -> Outcome:
    """Test that a figure lies between two bounds."""
    if low < found.low and found.high < high:
        return "held"
    return "failed" if found.high < low or found.low > high else "undecided"


def claim(prediction: str, statement: str, outcomes: Iterable[Outcome], measured: str) -> Claim:
    """Make a claim with its outcomes counted."""
    found = list(outcomes)
    return Claim(prediction, statement, measured, *(found.count(o) for o in ("held", "failed", "undecided")))


# Choosing cells


def _values(cells: list[Cell], rules: tuple[str, ...], task: str = "values") -> list[Cell]:
    """Return the cells of a task with all inputs and students of these rules."""
    return [c for c in cells if c.world.task == task and c.unlabelled is None and c.student.rule in rules]


def _projections(cells: list[Cell], task: str = "values") -> list[Cell]:
    """Return the cells of exact students whose class contains the truth and not the teacher's class."""
    return [c for c in _values(cells, ("exact",), task) if c.contains_truth and not c.contains_teacher]


def _neighbours(cells: list[Cell], step: Callable[[Cell], float], without: Callable[[Cell], Cell]) -> Iterator:
    """Yield pairs of cells that are neighbours in `step` and equal in all else."""
    for row in _rows(cells, step, without):
        yield from pairwise(row)


def _rows(cells: list[Cell], step: Callable[[Cell], float], without: Callable[[Cell], Cell]) -> list[list[Cell]]:
    """Return groups of cells that differ only in `step`, in its order; `without` returns a cell with `step` blanked."""
    rows: dict[tuple, list[Cell]] = {}
    for cell in sorted(cells, key=step):
        rows.setdefault(without(cell).key, []).append(cell)
    return list(rows.values())


def _along_labels(cells: list[Cell]) -> list[list[Cell]]:
    return _rows(cells, lambda c: c.labels, lambda c: replace(c, labels=0))


def _range(values: Iterable[float]) -> str:
    """Return the range of some figures as a text."""
    found = list(values)
    return f"{min(found):.3g} to {max(found):.3g}" if found else "–"


def _mean(values: Iterable[Array], unit: str = "") -> str:
    """Return the mean over cells with its interval over seeds, and the range of the cells' means, as a text."""
    found = list(values)
    return f"{mean(np.mean(found, axis=0))}{unit}; by cell {_range(v.mean() for v in found)}" if found else "–"


def _of(cells: list[Cell], name: str, unit: str = "") -> str:
    return _mean((c[name] for c in cells), unit)


def _ratio(pairs: Iterable[tuple[Array, Array]]) -> str:
    """Return the ratio of sums over cells with its interval over seeds, and the range of cells' ratios, as a text."""
    found = list(pairs)
    if not found:
        return "–"
    above, below = (np.sum(side, axis=0) for side in zip(*found))
    return f"{ratio(above, below)}; by cell {_range(a.mean() / b.mean() for a, b in found)}"


# Predictions


def inequality(cells: list[Cell]) -> list[Claim]:
    """Test prediction 1: the gain is at least the divergence between student and teacher."""
    name, claims = "1 The inequality", []
    for rule, text in (("exact", "linear classes"), ("ball", "balls: convex, not linear")):
        chosen = [c for c in _values(cells, (rule,)) if c.contains_truth]
        fallen = [(c["slack"], c["divergence"]) for c in chosen if (c["divergence"] > ROUNDING).any()]
        measured = f"(gain − divergence) / divergence: {_ratio(fallen)}"
        statement = f"gain ≥ divergence in every seed, where F contains f*; {text}"
        claims.append(claim(name, statement, (exactly(c["slack"], c["teacher"]) for c in chosen), measured))
    return claims


def truth_outside(cells: list[Cell]) -> list[Claim]:
    """Test prediction 2: if F does not contain f*, approximation error is added, and the student may not pass."""
    name = "2 The truth outside F"
    chosen = [c for c in _values(cells, ("exact",)) if not c.contains_truth]
    last = [row[-1] for row in _along_labels(chosen)]
    first = [row[0] for row in _along_labels(chosen)]
    passed = [positive(c["gain"]) for c in first].count("held")
    return [
        claim(name, "the inequality as in 1 breaks: gain < divergence", (positive(-c["slack"]) for c in chosen),
              f"gain − divergence: {_of(chosen, 'slack')}. Approximation error: {_of(chosen, 'outside')}"),
        claim(name, "it holds in every seed with the approximation error added",
              (exactly(c["slack_outside"], c["teacher"]) for c in chosen),
              f"room left: {_of(chosen, 'slack_outside')}"),
        claim(name, "with the most labels the student does not pass its teacher", (positive(-c["gain"]) for c in last),
              f"gain there: {_of(last, 'gain')}. With the fewest labels it passes in {passed} of {len(first)}"),
    ]  # fmt: skip


def variance(cells: list[Cell]) -> list[Claim]:
    """Test prediction 3: the gain grows with the teacher's variance, and vanishes as n grows."""
    name, claims = "3 The teacher's variance", []
    for rule, text in (("exact", "least-squares teacher"), ("ridge", "teacher with ridge")):
        chosen = [c for c in _projections(cells) if c.teacher.rule == rule]
        noisier = list(_neighbours(chosen, lambda c: c.world.noise, _without_noise))
        rows = _along_labels(chosen)
        fewer = [pair for row in rows for pair in pairwise(row)]
        ends = [(row[-1]["gain"], row[0]["gain"]) for row in rows]
        claims += [
            claim(name, f"each step to more labels lowers the gain; {text}",
                  (positive(a["gain"] - b["gain"]) for a, b in fewer),
                  f"gain after / before: {_ratio((b['gain'], a['gain']) for a, b in fewer)}"),
            claim(name, f"each step to more noise raises the gain; {text}",
                  (positive(b["gain"] - a["gain"]) for a, b in noisier),
                  f"gain after / before: {_ratio((b['gain'], a['gain']) for a, b in noisier)}"),
            claim(name, f"from the fewest to the most labels the gain falls below {NEAR:.0%} of itself; {text}",
                  (within(ratio(*pair), -np.inf, NEAR) for pair in ends), f"what is left: {_ratio(ends)}"),
        ]  # fmt: skip
    return claims


def _without_noise(cell: Cell) -> Cell:
    return replace(cell, world=replace(cell.world, noise=0.0))


def larger_student(cells: list[Cell]) -> list[Claim]:
    """Test prediction 4: a student that can copy its teacher gains nothing by an exact fit, but by regularisation."""
    name = "4 A student as large"
    copies = [c for c in _values(cells, ("exact",)) if c.contains_teacher]
    claims = [
        claim(name, "an exact fit gains nothing, in any seed",
              (exactly(-np.abs(c["gain"]), c["teacher"]) for c in copies),
              f"greatest gain or loss: {max((np.abs(c['gain']).max() for c in copies), default=0):.1g}")
    ]  # fmt: skip
    for rule, text in (("exact", "a least-squares teacher"), ("ridge", "a teacher with ridge")):
        chosen = [c for c in _values(cells, ("stopped", "ridge")) if c.contains_teacher and c.teacher.rule == rule]
        claims.append(_held_back(name, text, chosen))
    return claims


def _held_back(name: str, text: str, chosen: list[Cell]) -> Claim:
    shares = _ratio((c["gain"], c["teacher"]) for c in chosen)
    statement = f"stopped early, or with ridge, it passes {text}"
    return claim(name, statement, (positive(c["gain"]) for c in chosen), f"gain / teacher's error: {shares}")


def divergence_predicts(cells: list[Cell]) -> list[Claim]:
    """Test prediction 5: the divergence between teacher and student predicts the gain."""
    name = "5 Divergence predicts gain"
    projected = [c for c in _values(cells, ("exact", "ball")) if not c.contains_teacher]
    everything = _values(cells, ("exact", "ball", "stopped", "ridge"))
    groups = {
        "F contains f*": [c for c in projected if c.contains_truth],
        "F does not contain f*": [c for c in projected if not c.contains_truth],
        "students stopped or with ridge": _values(cells, ("stopped", "ridge")),
        "all cells": everything,
    }
    claims = [c for text, group in groups.items() for c in _predicts(name, text, group)]
    found = [_correlation(group) for group in _by_teacher(everything)]
    statement = (
        "it also tells which student of one teacher gains most: rank correlation > 0 among students of a teacher"
    )
    measured = f"rank correlation by teacher: {_range(f.value for f in found)}"
    return [*claims, claim(name, statement, (positive(f) for f in found), measured)]


def _predicts(name: str, text: str, cells: list[Cell]) -> list[Claim]:
    """Return claims on the rank correlation over a group of cells, and on the bound in each."""
    if len(cells) < 3:
        return []
    found = _correlation(cells)
    return [
        claim(name, f"rank correlation of divergence and gain over cells > {STRONG}; {text}",
              [within(found, STRONG, np.inf)], f"{found} over {len(cells)} cells"),
        claim(name, f"gain ≥ divergence, in the mean; {text}", (not_negative(c["slack"]) for c in cells),
              f"gain − divergence: {_of(cells, 'slack')}"),
    ]  # fmt: skip


def _correlation(cells: list[Cell]) -> Interval:
    return rank_correlation(np.stack([c["divergence"] for c in cells]), np.stack([c["gain"] for c in cells]))


def _by_teacher(cells: list[Cell]) -> list[list[Cell]]:
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.world, cell.teacher, cell.labels), []).append(cell)
    return [group for group in groups.values() if len(group) >= 3]


def finite_inputs(cells: list[Cell]) -> list[Claim]:
    """Test prediction 6: with finite N, the gain approaches the bound as N grows."""
    name = "6 Finite N"
    finite = [c for c in cells if c.world.task == "values" and c.unlabelled is not None]
    limits = {replace(c, unlabelled=None).key: c for c in cells if c.unlabelled is None}
    rows = _rows(finite, lambda c: c.unlabelled or 0, lambda c: replace(c, unlabelled=0))

    def limit(cell: Cell) -> Cell:
        return limits[replace(cell, unlabelled=None).key]

    shares = [(row[-1], ratio(row[-1]["gain"], limit(row[-1])["gain"])) for row in rows]
    steps = [pair for row in rows for pair in pairwise(row)]
    exact = [c for c in finite if c.student.rule == "exact" and (c.unlabelled or 0) >= 3 * c.student.width]
    exact = [c for c in exact if _predicted(c, limit(c)).mean() >= limit(c)["gain"].mean() / 100]
    missing = [(limit(c)["gain"] - c["gain"], _predicted(c, limit(c))) for c in exact]
    most = [(cell.unlabelled or 0) / cell.labels for cell, _ in shares]
    return [
        claim(name, "each step to more inputs raises the gain", (positive(b["gain"] - a["gain"]) for a, b in steps),
              f"change of the gain: {_mean(b['gain'] - a['gain'] for a, b in steps)}"),
        claim(name, f"with the most inputs (N/n = {_range(most)}) the gain is "
              f"within {NEAR:.0%} of that of N → ∞", (within(f, 1 - NEAR, 1 + NEAR) for _, f in shares),
              f"gain / gain of N → ∞: {_ratio((c['gain'], limit(c)['gain']) for c, _ in shares)}"),
        claim(name, "what is missing is divergence × width / (N − width − 1), to a half: N counts by the student's "
              "width, not by n (exact students, N ≥ 3 widths, 1 % of the gain or more predicted to be missing)",
              (within(ratio(*pair), 0.5, 1.5) for pair in missing), f"missing / predicted: {_ratio(missing)}"),
    ]  # fmt: skip


def _predicted(cell: Cell, limit: Cell) -> Array:
    """Return the predicted loss of gain at this N: what a student cannot copy acts as noise on N inputs (ours)."""
    width = cell.student.width
    return limit["divergence"] * width / ((cell.unlabelled or 0) - width - 1)


def posteriors(cells: list[Cell]) -> list[Claim]:
    """Test prediction 7: the others hold under cross-entropy, where the theorem of squared loss does not apply."""
    name, task = "7 Posteriors, cross-entropy", "posteriors"
    inside = _projections(cells, task)
    outside = [c for c in _values(cells, ("exact",), task) if not c.contains_truth]
    copies = [c for c in _values(cells, ("exact",), task) if c.contains_teacher]
    largest = max((np.abs(c["reverse_slack"]).max() for c in inside), default=0.0)
    claims = [
        claim(name, "KL(S ‖ f*) = KL(T ‖ f*) − KL(T ‖ S) in every seed, where F contains f*",
              (exactly(-np.abs(c["reverse_slack"]), c["teacher"]) for c in inside),
              f"greatest difference {largest:.1g} nats"),
        claim(name, "it breaks where F does not contain f*", (positive(-c["reverse_slack"]) for c in outside),
              f"right − left side: {_of(outside, 'reverse_slack', ' nats')}"),
        claim(name, "what cross-entropy on labels measures, KL(f* ‖ ·), falls by at least KL(T ‖ S), where F contains "
              "f*", (not_negative(c["slack"]) for c in inside),
              f"gain − divergence: {_of(inside, 'slack', ' nats')}. It fell short in {_short(inside)} of single seeds"),
        claim(name, "in KL(f* ‖ ·) the student passes its teacher, where F contains f*",
              (positive(c["gain"]) for c in inside), f"gain: {_of(inside, 'gain', ' nats')}"),
        claim(name, "it also chooses the wrong label less often",
              (positive(c["wrong_teacher"] - c["wrong_student"]) for c in inside),
              f"fewer by {_mean((100 * (c['wrong_teacher'] - c['wrong_student']) for c in inside), ' %')}"),
        claim(name, "a student as large, fitted exactly, gains nothing",
              (exactly(-np.abs(c["gain"]), c["teacher"]) for c in copies),
              f"greatest gain or loss {max((np.abs(c['gain']).max() for c in copies), default=0):.1g} nats"),
    ]  # fmt: skip
    for rule, text in (("weak", "a teacher with hardly a penalty"), ("ridge", "a teacher with ridge")):
        chosen = [c for c in _values(cells, ("ridge",), task) if c.teacher.rule == rule]
        claims.append(_held_back(name, text, chosen))
    return claims + _predicts(name, "all cells", _values(cells, ("exact", "ridge"), task))[:1]


def _short(cells: list[Cell]) -> str:
    found = np.concatenate([c["slack"] < -ROUNDING for c in cells]) if cells else np.zeros(1)
    return f"{found.mean():.0%}"


def labels_alone(cells: list[Cell]) -> list[Claim]:
    """Test claim 8, which is not in the sketch: the student passes the same student on labels alone, as in WERR."""
    name, claims = "8 Against labels alone (not in the sketch)", []
    for task, what in (("values", "values"), ("posteriors", "posteriors")):
        small = [c for c in _values(cells, ("exact",), task) if not c.contains_teacher]
        for rule in sorted({c.teacher.rule for c in small}):
            for inside in (True, False):
                chosen = [c for c in small if c.contains_truth is inside and c.teacher.rule == rule]
                where = f"{what}, F {'contains' if inside else 'does not contain'} f*, teacher {rule}"
                claims.append(
                    claim(name, f"smaller than its teacher, it passes itself on labels alone; {where}",
                          (positive(c["alone"] - c["student"]) for c in chosen),
                          f"error / error alone: {_ratio((c['student'], c['alone']) for c in chosen)}")
                )  # fmt: skip
    return claims


PREDICTIONS = (
    inequality, truth_outside, variance, larger_student, divergence_predicts, finite_inputs, posteriors, labels_alone,
)  # fmt: skip
