"""Simulation of teachers and students in worlds whose truth is known: the measures of each cell of the grid, by seed.

A seed has one truth, one sequence of labelled inputs with their noise, and one of unlabelled inputs: smaller n and N
take prefixes of these, and worlds differ in the size of the noise only. So cells can be compared seed by seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

import numpy as np

from understudy.step import UserError
from understudy.theory import linear, softmax
from understudy.theory.linear import POINTS, Array, Moments, basis, distance, resized

Measures = dict[str, float]
CLASSES = 3
MOST_LABELS, MOST_UNLABELLED = 4096, 32768
DRAWS = 8
"""Samples of N unlabelled inputs in one seed, whose measures are averaged: N has a smaller effect than the seed"""


@dataclass(frozen=True)
class World:
    """A task with its truth and noise."""

    task: Literal["values", "posteriors"]
    """real values with Gaussian noise under squared loss, or labels drawn from posteriors under cross-entropy"""
    width: int = 9
    """number of features that the truth is made of; a class of this width or more contains it"""
    noise: float = 0.5
    """values: standard deviation of the noise, where the truth's norm is 1; posteriors: 1 / scale of the logits"""


@dataclass(frozen=True)
class Teacher:
    """A class of functions, and the rule that fits one to labels."""

    width: int
    rule: str
    """values: exact, ridge; posteriors: weak, ridge"""


@dataclass(frozen=True)
class Student:
    """A class of functions, and the rule that fits one to the teacher's function."""

    width: int
    rule: str
    """values: exact, ball, ridge, stopped; posteriors: exact, ridge"""


@dataclass(frozen=True)
class Unit:
    """A unit of computation: a teacher in one condition, and all its students."""

    world: World
    teacher: Teacher
    labels: int
    """n; there are also dev labels, a quarter as many, for choosing penalties and numbers of steps"""
    students: tuple[tuple[Student, int | None], ...]
    """students with their numbers of unlabelled inputs N; None: all inputs (N → ∞)"""


@dataclass(frozen=True)
class Cell:
    """A condition and its measures, a number for each seed.

    `teacher`, `student`, `alone` (the same student on the labels alone) are errors: squared L2 distance to the truth,
    or KL(truth ‖ model) in nats. `divergence` is that between teacher and student, ‖f_S − f_T‖² or
    KL(teacher ‖ student), over all inputs, like on an infinite held-out set. `outside` is the error of the best
    function of the student's class. `gain` = teacher − student; `slack` = gain − divergence, which is not negative
    according to the sketch.
    """

    world: World
    teacher: Teacher
    student: Student
    labels: int
    unlabelled: int | None
    seeds: dict[str, list[float]]

    @classmethod
    def of(cls, line: dict[str, Any]) -> Cell:
        """Make a cell from a line of cells.jsonl."""
        parts = {"world": World(**line["world"]), "teacher": Teacher(**line["teacher"])}
        return cls(**{**line, **parts, "student": Student(**line["student"])})

    def line(self) -> dict[str, Any]:
        """Return the line for cells.jsonl, with six digits, which is far more precise than the spread over seeds."""
        seeds = {name: [float(f"{value:.6g}") for value in values] for name, values in self.seeds.items()}
        return {**asdict(self), "seeds": seeds}

    @property
    def key(self) -> tuple[World, Teacher, Student, int, int | None]:
        """Identity of the cell."""
        return self.world, self.teacher, self.student, self.labels, self.unlabelled

    def __getitem__(self, name: str) -> Array:
        return np.array(self.seeds[name])

    @property
    def contains_truth(self) -> bool:
        """Whether the student's class contains the truth."""
        return self.student.width >= self.world.width

    @property
    def contains_teacher(self) -> bool:
        """Whether the student's class contains the teacher's."""
        return self.student.width >= self.teacher.width and self.student.rule != "ball"


def grid(labels: Iterable[int], noises: Iterable[float], ratios: Iterable[float]) -> list[Unit]:
    """Return all units: both tasks with all inputs, and values with N = ratio · n unlabelled inputs.

    Raises:
        UserError: there are more labels or unlabelled inputs than a seed has, or fewer than three numbers of labels.
    """
    labels, noises, ratios = sorted(labels), sorted(noises), sorted(ratios)
    if len(labels) < 3 or labels[-1] > MOST_LABELS or labels[1] * ratios[-1] > MOST_UNLABELLED:
        raise UserError(f"give three numbers of labels at least, each ≤ {MOST_LABELS}, and N ≤ {MOST_UNLABELLED}")
    rules = [("exact", w) for w in (5, 7, 9, 17, 33, 65)] + [("ball", 33), ("stopped", 33), ("stopped", 65)]
    students = tuple((Student(w, r), None) for r, w in [*rules, ("ridge", 65)])
    units = [
        Unit(World("values", noise=noise), Teacher(33, rule), n, students)
        for rule, noise, n in product(("exact", "ridge"), noises, labels)
    ]
    units += [Unit(World("values"), Teacher(17, rule), n, students) for rule, n in product(("exact", "ridge"), labels)]
    few = [Student(9, "exact"), Student(17, "exact"), Student(33, "stopped")]
    for n in [n for n in labels[1::2] if n * ratios[-1] <= MOST_UNLABELLED][:2]:
        finite = tuple((s, size) for s in few for size in [*(round(ratio * n) for ratio in ratios), None])
        units.append(Unit(World("values"), Teacher(33, "exact"), n, finite))
    rules = [("exact", w) for w in (5, 7, 9, 13, 17)] + [("ridge", 17)]
    students = tuple((Student(w, r), None) for r, w in rules)
    return units + [
        Unit(World("posteriors", noise=noise), Teacher(17, rule), n, students)
        for rule, noise, n in product(("weak", "ridge"), (1.0, 0.25), labels)
    ]


def simulate(unit: Unit, seeds: int, seed: int) -> list[Cell]:
    """Simulate all cells of a unit, each over `seeds` seeds."""
    measure = _values if unit.world.task == "values" else _posteriors
    rows = [measure(unit, [seed, number]) for number in range(seeds)]
    return [
        Cell(unit.world, unit.teacher, student, unit.labels, size, _columns([row[i] for row in rows]))
        for i, (student, size) in enumerate(unit.students)
    ]


def _columns(rows: list[Measures]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _streams(key: list[int]) -> list[np.random.Generator]:
    """Return generators for the truth, the labelled, the dev and the unlabelled inputs."""
    return [np.random.default_rng([*key, stream]) for stream in range(4)]


def true_values(rng: np.random.Generator, width: int) -> Array:
    """Draw coefficients of a truth: Gaussian, smaller for harder features, with norm 1."""
    raw = rng.standard_normal(width) * np.sqrt(linear.ease(width))
    return raw / np.linalg.norm(raw)


def _values(unit: Unit, key: list[int]) -> list[Measures]:
    """Simulate one seed of a unit under squared loss."""
    truth_rng, label_rng, dev_rng, more_rng = _streams(key)
    truth = true_values(truth_rng, unit.world.width)
    widest = basis(max(unit.teacher.width, unit.world.width, *(s.width for s, _ in unit.students)))
    clean = widest[:, : len(truth)] @ truth

    def sample(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        where, noise = rng.integers(POINTS, size=MOST_LABELS), rng.standard_normal(MOST_LABELS)
        return widest[where[:count]], clean[where[:count]] + unit.world.noise * noise[:count]

    features, values = sample(label_rng, unit.labels)
    dev_features, dev_values = sample(dev_rng, max(8, unit.labels // 4))
    draws = more_rng.integers(POINTS, size=(DRAWS, MOST_UNLABELLED))

    def judge(found: Array) -> float:
        return float(((dev_features[:, : len(found)] @ found - dev_values) ** 2).mean())

    def from_labels(width: int, rule: str) -> Array:
        return linear.fit(Moments.of(features[:, :width], values), rule, judge)  # type: ignore[arg-type]

    def listen(width: int, size: int | None) -> list[Moments]:
        if size is None:
            return [Moments.of_everything(teacher, width)]
        heard = [widest[draw[:size]] for draw in draws]
        return [Moments.of(places[:, :width], places[:, : len(teacher)] @ teacher) for places in heard]

    def measure(student: Student, size: int | None) -> Measures:
        width, rule = student.width, student.rule
        alone = from_labels(width, rule)
        found = [linear.fit(moments, rule, judge) for moments in listen(width, size)]  # type: ignore[arg-type]
        rows = [value_measures(truth, teacher, model, alone, width) for model in found]
        return {name: float(np.mean(values)) for name, values in _columns(rows).items()}

    teacher = from_labels(unit.teacher.width, unit.teacher.rule)
    return [measure(student, size) for student, size in unit.students]


def value_measures(truth: Array, teacher: Array, student: Array, alone: Array, width: int) -> Measures:
    """Return a cell's measures for one seed, from coefficients; see `Cell`.

    `slack_outside` is the slack of the inequality with the approximation error a added (our derivation: project the
    truth to g = P_F f*, apply the inequality to g, then the triangle inequality):
    ‖f_S − f*‖ ≤ √(‖f_T − g‖² − ‖f_S − f_T‖²) + a.
    """
    nearest = resized(truth, width)
    outside = distance(truth, nearest)
    errors = {"teacher": distance(teacher, truth), "student": distance(student, truth), "alone": distance(alone, truth)}
    gap = distance(student, teacher)
    gain = errors["teacher"] - errors["student"]
    bound = (np.sqrt(max(0.0, distance(teacher, nearest) - gap)) + np.sqrt(outside)) ** 2
    return {
        **errors, "divergence": gap, "outside": outside, "gain": gain, "slack": gain - gap,
        "slack_outside": float(bound - errors["student"]),
    }  # fmt: skip


def true_posteriors(rng: np.random.Generator, world: World) -> Array:
    """Draw `p*(y|x)`, `(POINTS, CLASSES)`: a softmax of functions of the world's width, logits of size 1 / noise."""
    theta = rng.standard_normal((world.width, CLASSES - 1)) * np.sqrt(linear.ease(world.width))[:, None]
    theta *= np.sqrt(CLASSES - 1) / np.linalg.norm(theta) / world.noise
    return softmax.posteriors(theta, basis(world.width))


@lru_cache(maxsize=4096)
def nearest_posteriors(world: World, width: int, key: tuple[int, ...]) -> Array:
    """Return the model of a class that is nearest to a seed's truth in KL(truth ‖ ·), `(POINTS, CLASSES)`."""
    truth, features = true_posteriors(_streams(list(key))[0], world), basis(width)
    everywhere, start = np.full(POINTS, 1 / POINTS), np.zeros((width, CLASSES - 1))
    return softmax.posteriors(softmax.newton(features, truth, everywhere, 0.0, start), features)


def _posteriors(unit: Unit, key: list[int]) -> list[Measures]:
    """Simulate one seed of a unit under cross-entropy. Labels at the same place are pooled."""
    truth_rng, label_rng, dev_rng, _ = _streams(key)
    truth = true_posteriors(truth_rng, unit.world)
    everywhere = np.full(POINTS, 1 / POINTS)

    def counts(rng: np.random.Generator, count: int) -> Array:
        where, draw = rng.integers(POINTS, size=MOST_LABELS), rng.random(MOST_LABELS)
        label = (draw[:, None] > truth.cumsum(1)[where, :-1]).sum(1)
        found = np.zeros_like(truth)
        np.add.at(found, (where[:count], label[:count]), 1 / count)
        return found

    labels, dev = counts(label_rng, unit.labels), counts(dev_rng, max(8, unit.labels // 4))
    mass = labels.sum(1)
    shares = labels / np.maximum(mass, 1e-300)[:, None]

    def solve(targets: Array, mass: Array, width: int, rule: str) -> Array:
        features = basis(width)

        def judge(theta: Array) -> float:
            return float(-(dev * np.log(np.maximum(softmax.posteriors(theta, features), 1e-300))).sum())

        theta = softmax.fit(features, targets, mass, rule, judge, unit.labels)  # type: ignore[arg-type]
        return softmax.posteriors(theta, features)

    teacher = solve(shares, mass, unit.teacher.width, unit.teacher.rule)
    return [
        posterior_measures(
            truth, teacher, solve(teacher, everywhere, s.width, s.rule),
            solve(shares, mass, s.width, "weak" if s.rule == "exact" else s.rule),
            nearest_posteriors(unit.world, s.width, tuple(key)),
        )
        for s, _ in unit.students
    ]  # fmt: skip


def posterior_measures(truth: Array, teacher: Array, student: Array, alone: Array, nearest: Array) -> Measures:
    """Return a cell's measures for one seed, from posteriors; see `Cell`.

    The student minimises KL(teacher ‖ ·), so that teacher and student agree in all means of features times labels, and
    for any p of its class KL(teacher ‖ p) = KL(teacher ‖ student) + KL(student ‖ p): the Pythagorean identity of a
    moment projection (Csiszár 1975; Amari and Nagaoka 2000). If p is the truth, this is the sketch's inequality, even
    as an equality, for the error KL(· ‖ truth): `reverse_slack` is zero. The error that cross-entropy on labels
    measures is KL(truth ‖ ·). For that error, the inequality would need a class that is convex in its probabilities
    and a student that minimises KL(· ‖ teacher); neither holds, so `slack` may have any sign.
    """
    kl = softmax.divergence
    errors = {"teacher": kl(truth, teacher), "student": kl(truth, student), "alone": kl(truth, alone)}
    gap = kl(teacher, student)
    gain = errors["teacher"] - errors["student"]
    reverse_gain = kl(teacher, truth) - kl(student, truth)
    return {
        **errors, "divergence": gap, "outside": kl(truth, nearest), "gain": gain, "slack": gain - gap,
        "reverse_gain": reverse_gain, "reverse_slack": reverse_gain - gap,
        "wrong_teacher": _wrong(truth, teacher), "wrong_student": _wrong(truth, student),
    }  # fmt: skip


def _wrong(truth: Array, model: Array) -> float:
    """Return the probability that the model's best label is not the one drawn."""
    return float(1 - truth[np.arange(len(truth)), model.argmax(1)].mean())
