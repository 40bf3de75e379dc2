"""Block D: projections obey the inequality, verdicts follow the numbers, and a simulation can be repeated."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from understudy.step import UserError
from understudy.theory import linear, softmax
from understudy.theory.linear import Moments, basis, distance, resized
from understudy.theory.predictions import (
    Claim,
    all_claims,
    divergence_predicts,
    finite_inputs,
    inequality,
    labels_alone,
    larger_student,
    posteriors,
    truth_outside,
    variance,
)
from understudy.theory.report import read_jobs
from understudy.theory.simulate import Cell, Student, Teacher, Unit, World, grid, simulate, value_measures
from understudy.theory.statistics import mean, rank_correlation, t_quantile

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 6


def functions(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A truth of width 9 and norm 1, and a teacher of width 33."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(9)
    truth /= np.linalg.norm(truth)
    return truth, resized(truth, 33) + 0.3 * rng.standard_normal(33)


def everything(teacher: np.ndarray, width: int, rule: str) -> np.ndarray:
    return linear.fit(Moments.of_everything(teacher, width), rule, judge=lambda _: 0.0)


# Fits


def test_features_are_orthonormal_and_classes_nested():
    features = basis(65)
    assert np.allclose(features.T @ features / len(features), np.eye(65), atol=1e-12)
    assert np.array_equal(basis(9), features[:, :9])


@pytest.mark.parametrize(("rule", "width"), [("exact", 9), ("exact", 17), ("exact", 33), ("ball", 17), ("ball", 33)])
def test_projections_obey_the_inequality_to_rounding(rule, width):
    for seed in range(20):
        truth, teacher = functions(seed)
        student = everything(teacher, width, rule)
        found = value_measures(truth, teacher, student, student, width)
        assert found["slack"] > -1e-12
        assert rule == "ball" or abs(found["slack"]) < 1e-12


def test_a_class_without_the_truth_breaks_the_inequality_but_not_the_mended_one():
    slacks = []
    for seed in range(20):
        truth, teacher = functions(seed)
        student = everything(teacher, 5, "exact")
        found = value_measures(truth, teacher, student, student, 5)
        slacks.append(found["slack"])
        assert found["slack_outside"] > -1e-12
        assert found["student"] >= found["outside"] - 1e-12
    assert min(slacks) < -0.1


def test_the_ball_is_a_projection():
    _, teacher = functions(1)
    student = everything(teacher, 33, "ball")
    assert np.linalg.norm(student) == pytest.approx(1)
    assert np.allclose(student, teacher / np.linalg.norm(teacher))
    assert np.allclose(everything(0.5 * student, 33, "ball"), 0.5 * student)


def test_a_sample_of_a_function_in_the_class_is_fitted_exactly():
    truth, _ = functions(2)
    features = basis(17)[np.random.default_rng(0).integers(linear.POINTS, size=60)]
    found = linear.fit(Moments.of(features, features[:, :9] @ truth), "exact", judge=lambda _: 0.0)
    assert distance(found, truth) < 1e-18


def test_stopping_takes_what_the_judge_likes():
    _, teacher = functions(3)
    for rule in ("ridge", "stopped"):
        loose = linear.fit(Moments.of_everything(teacher, 33), rule, judge=lambda found: distance(found, teacher))
        strict = linear.fit(Moments.of_everything(teacher, 33), rule, judge=lambda found: float((found**2).sum()))
        assert distance(loose, teacher) < 0.05 * distance(strict, teacher)


def test_newton_finds_the_model_that_made_the_targets_and_the_identity_holds():
    rng, features = np.random.default_rng(4), basis(9)
    truth, teacher = (softmax.posteriors(rng.standard_normal((w, 2)), basis(w)) for w in (5, 13))
    mass = np.full(len(features), 1 / len(features))

    def project(targets: np.ndarray) -> np.ndarray:
        theta = softmax.fit(features, targets, mass, "exact", lambda _: 0.0, 1)
        return softmax.posteriors(theta, features)

    assert np.abs(project(truth) - truth).max() < 1e-8
    student, kl = project(teacher), softmax.divergence
    assert kl(student, truth) == pytest.approx(kl(teacher, truth) - kl(teacher, student), abs=1e-10)


# Statistics


def test_intervals():
    assert [round(t_quantile(f), 2) for f in (10, 23, 1000)] == [2.23, 2.07, 1.96]
    found = mean(np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.low < found.value == 2.5 < found.high
    rising = np.arange(12.0).reshape(4, 3)
    assert rank_correlation(rising, rising**3).value == pytest.approx(1)
    assert rank_correlation(rising, -rising).high == pytest.approx(-1)


# Verdicts: fabricated cells must turn each of them


def cell(gain: float, divergence: float, width: int = 9, **change: object) -> Cell:
    """A cell of small spread around a gain and a divergence."""
    wave = 1 + 0.01 * np.cos(np.arange(SEEDS))
    values = {"teacher": 2.0, "student": 2.0 - gain, "alone": 2.0, "divergence": divergence, "outside": 0.0}
    values |= {"gain": gain, "slack": gain - divergence, "slack_outside": gain - divergence}
    values |= {
        "reverse_gain": gain,
        "reverse_slack": gain - divergence,
        "wrong_teacher": 0.5,
        "wrong_student": 0.5 - gain,
    }
    seeds = {name: list(value * wave) for name, value in values.items()}
    made = Cell(World("values"), Teacher(33, "exact"), Student(width, "exact"), 64, None, seeds)
    return replace(made, **change)


def verdicts(claims: list[Claim], *words: str) -> list[str]:
    return [c.verdict for c in claims if all(word in c.statement for word in words)]


def test_the_inequality_turns():
    assert verdicts(inequality([cell(0.3, 0.3)]), "linear classes") == ["held"]
    assert verdicts(inequality([cell(0.2, 0.3)]), "linear classes") == ["did not hold"]
    both = inequality([cell(0.3, 0.3), cell(0.2, 0.3, labels=128)])
    assert verdicts(both, "linear classes") == ["held in 1 of 2 cells (1 against)"]
    assert verdicts(both, "balls") == ["not tried"]


def test_a_truth_outside_turns():
    assert [c.verdict for c in truth_outside([cell(-0.2, 0.3, 5)])] == ["held", "did not hold", "held"]
    assert [c.verdict for c in truth_outside([cell(0.4, 0.3, 5)])] == ["did not hold", "held", "did not hold"]


def test_the_variance_turns():
    falling = [cell(0.4 / 8**i, 0.1, labels=64 * 2**i) for i in range(3)]
    rising = [cell(0.1 * 2**i, 0.1, labels=64 * 2**i) for i in range(3)]
    for cells, expected in ((falling, "held"), (rising, "did not hold")):
        assert all(v.startswith(expected) for v in verdicts(variance(cells), "labels", "least-squares"))
    noisier = replace(World("values"), noise=1.0)
    assert verdicts(variance([cell(0.1, 0.1), cell(0.4, 0.1, world=noisier)]), "more noise")[0] == "held"
    assert verdicts(variance([cell(0.4, 0.1), cell(0.1, 0.1, world=noisier)]), "more noise")[0] == "did not hold"


def test_the_larger_student_turns():
    stopped = Student(33, "stopped")
    good = larger_student([cell(0.0, 0.0, 33), cell(0.2, 0.1, student=stopped)])
    bad = larger_student([cell(0.1, 0.0, 33), cell(-0.2, 0.1, student=stopped)])
    assert [c.verdict for c in good] == ["held", "held", "not tried"]
    assert [c.verdict for c in bad] == ["did not hold", "did not hold", "not tried"]


def test_divergence_turns():
    along = [cell(0.1 * i, 0.1 * i, labels=64 * i) for i in range(1, 6)]
    against = [cell(0.1 * (6 - i), 0.7 * i, labels=64 * i) for i in range(1, 6)]
    assert verdicts(divergence_predicts(along), "F contains") == ["held", "held (all 5 cells)"]
    assert verdicts(divergence_predicts(against), "F contains")[0] == "did not hold"
    assert verdicts(divergence_predicts(against), "gain ≥", "F contains") == ["did not hold (none of 5 cells)"]
    one = [cell(g, d, w) for g, d, w in ((0.1, 0.1, 9), (0.2, 0.2, 17), (0.3, 0.3, 13))]
    other = [cell(g, d, w) for g, d, w in ((0.3, 0.1, 9), (0.2, 0.2, 17), (0.1, 0.3, 13))]
    assert verdicts(divergence_predicts(one), "which student") == ["held"]
    assert verdicts(divergence_predicts(other), "which student") == ["did not hold"]


def test_finite_inputs_turn():
    limit = cell(0.4, 0.4)
    near = [cell(0.4 - 0.4 * 9 / (n - 10), 0.4, unlabelled=n) for n in (40, 400, 4000)]
    far = [cell(0.01, 0.4, unlabelled=400), cell(0.005, 0.4, unlabelled=500)]
    assert all(c.verdict.startswith("held") for c in finite_inputs([limit, *near]))
    assert all(c.verdict.startswith("did not hold") for c in finite_inputs([limit, *far]))


def test_posteriors_turn():
    world, teacher = World("posteriors"), Teacher(17, "weak")
    inside = [cell(g, 0.2, world=world, teacher=teacher) for g in (0.2, -0.1)]
    outside = [cell(g, 0.2, 5, world=world, teacher=teacher) for g in (0.1, 0.4)]
    good, bad = (posteriors([i, o]) for i, o in zip(inside, outside))
    for number in range(5):
        assert (good[number].verdict, bad[number].verdict) == ("held", "did not hold"), good[number].statement


def test_labels_alone_turns():
    assert verdicts(labels_alone([cell(0.2, 0.2)])) == ["held", "not tried"]
    assert verdicts(labels_alone([cell(-0.2, 0.2)])) == ["did not hold", "not tried"]


def test_spread_is_undecided():
    wide = cell(0.1, 0.1, student=Student(33, "stopped"))
    wide.seeds["gain"] = [1.0, -1.0] * (SEEDS // 2)
    assert larger_student([wide])[1].verdict == "undecided"


def test_no_cells_is_an_error():
    with pytest.raises(UserError, match="no cells"):
        all_claims([])


# The simulation

UNIT = Unit(
    World("values"), Teacher(17, "exact"), 64,
    ((Student(9, "exact"), None), (Student(9, "exact"), 128), (Student(17, "stopped"), None)),
)  # fmt: skip


@pytest.mark.parametrize(
    "unit",
    [UNIT, Unit(World("posteriors", noise=1.0), Teacher(9, "ridge"), 64, ((Student(5, "exact"), None),))],
)
def test_the_same_seed_gives_the_same_cells(unit):
    first, again, other = (simulate(unit, 3, seed) for seed in (1, 1, 2))
    assert [c.line() for c in first] == [c.line() for c in again]
    assert [c.line() for c in first] != [c.line() for c in other]
    assert [Cell.of(c.line()).key for c in first] == [c.key for c in first]


def test_labels_and_noise_are_shared_between_cells():
    """With half the noise a projection of a linear teacher has a quarter of the gain, seed by seed."""
    loud, quiet = (simulate(replace(UNIT, world=World("values", noise=noise)), 3, 1)[0] for noise in (0.5, 0.25))
    assert np.allclose(loud["gain"], 4 * quiet["gain"])


def test_a_grid_that_seeds_cannot_serve_is_refused():
    with pytest.raises(UserError, match="labels"):
        grid([64, 128, 10**6], [0.5], [1])


def command(out: Path) -> list[str]:
    options = ["--labels", "[64, 128, 256]", "--noises", "[0.5]", "--ratios", "[1, 4]", "--seeds", "2"]
    return [sys.executable, str(ROOT / "steps/simulate_distillation.py"), *options, "--out", str(out)]


def test_a_killed_simulation_ends_as_if_unbroken_and_is_reported(tmp_path):
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True)
    process = subprocess.Popen(command(tmp_path / "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "killed").glob("units/0*")) and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (tmp_path / "killed/cells.jsonl").exists()
    done = subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True, text=True)
    assert "resumed" in done.stderr
    whole, killed = (tmp_path / name / "cells.jsonl" for name in ("whole", "killed"))
    assert whole.read_text() == killed.read_text()
    report = [sys.executable, ROOT / "steps/report_distillation.py", "--cells", whole, "--out", tmp_path / "RESULTS.md"]
    subprocess.run(list(map(str, report)), check=True, capture_output=True)
    text, lines = (tmp_path / "RESULTS.md").read_text(), (tmp_path / "results.jsonl").read_text().splitlines()
    assert all(json.loads(line)["verdict"] in text for line in lines)
    assert len(list((tmp_path / "pictures").glob("*.png"))) == text.count("![") == 5


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "cells.jsonl").write_text('{"world": {}}\n')
    with pytest.raises(UserError, match=r"cells\.jsonl:1"):
        read_jobs(tmp_path / "cells.jsonl")
