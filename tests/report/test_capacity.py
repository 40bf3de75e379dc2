"""The capacity page: its arithmetic against sums by hand, and bad figures."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.report.capacity import Capacity
from understudy.step import UserError

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs/capacity.yaml"


@pytest.fixture
def told() -> dict:
    return yaml.safe_load(FIGURES.read_text())


def of_case(told: dict, case: str) -> dict[str, float]:
    """Every figure by its name."""
    figures = {**told["measured"], **told["assumed"]}
    return {name: one.get("value", one.get(case)) for name, one in figures.items()}


@pytest.mark.parametrize("case", ["best", "worst"])
def test_needs_are_those_of_a_sum_by_hand(told, case):
    values = of_case(told, case)
    told["scales"] = [{"unlabelled_hours": 200, "labelled_hours": 10, "sub_epochs": 5}]
    capacity = Capacity.of(told, "here", case)
    needs = {need.work.split(",")[0].split(":")[0]: need for need in capacity.needs(capacity.scales[0])}
    assert needs["audio"].disk_tb == pytest.approx(210 * values["audio_mb"] / 1e6)
    labelled = 10 * values["speeds"]
    assert needs["features"].core_hours == pytest.approx((200 + labelled) * values["features_cpu_s"] / 3600)
    targets, frames = needs["its soft targets"], 200 * 120_000
    assert targets.disk_tb == pytest.approx(frames * values["target_bytes"] / 1e12)
    model = LstmModel(ModelOptions(5, 768, bidirectional=True), 192, 3000)
    matrices = sum(p.numel() for p in model.parameters() if p.dim() == 2)
    operations = values["gpu_tflops"] * 1e12
    forward = 2 * matrices * frames / (operations * values["forward_share"]) / 3600
    assert targets.gpu_hours == pytest.approx(forward, rel=0.01)
    assert targets.instead_core_hours == pytest.approx(
        matrices * frames / values["forward_gmac_s"] / 1e9 / 3600, rel=0.01
    )
    # The teacher: passes of frames, and of sequences, which take longer; waiting; all of it as often as it is tried.
    sequences = values["sequence_passes"] * labelled
    learnt = (values["teacher_passes"] * labelled + values["sequence_times"] * sequences) * 120_000
    training = 6 * matrices * learnt / (operations * values["training_share"] * (1 - values["gpu_waits"])) / 3600
    assert needs["teacher"].gpu_hours == pytest.approx(values["trials"] * training, rel=0.01)
    loading = (values["teacher_passes"] * labelled + sequences) * 120_000 * values["loading_cpu_us"] / 1e6
    decoding = values["decoded_hours"] * values["decoding_cpu_s"]
    assert needs["teacher"].core_hours == pytest.approx(values["trials"] * (loading + decoding) / 3600)


@pytest.mark.parametrize("case", ["best", "worst"])
def test_a_student_hears_labelled_speech_first_and_after_each_sub_epoch(told, case):
    values = of_case(told, case)

    def hours(sub_epochs: int) -> float:
        told["scales"] = [{"unlabelled_hours": 300, "labelled_hours": 10, "sub_epochs": sub_epochs}]
        capacity = Capacity.of(told, "here", case)
        return next(n.gpu_hours for n in capacity.needs(capacity.scales[0]) if n.work.startswith("student"))

    labelled = 10 * values["speeds"]
    besides = (values["first_passes"] + values["sequence_passes"] * values["sequence_times"]) * labelled
    one, two = (besides + values["passes"] * (300 + n * labelled) for n in (1, 2))
    assert hours(2) / hours(1) == pytest.approx(two / one)


def test_the_worst_case_takes_more_than_the_best(told):
    cases = [Capacity.of(told, "here", case) for case in ("best", "worst")]
    for low, high in zip(*(capacity.needs(capacity.scales[0]) for capacity in cases)):
        assert low.work == high.work and low.gpu_hours <= high.gpu_hours and low.core_hours <= high.core_hours
        assert high.gpu_hours > 10 * low.gpu_hours or not low.work.startswith(("student", "teacher"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda told: told["measured"].pop("target_bytes"), "measured: target_bytes: missing or unknown"),
        (lambda told: told["assumed"].update(gpus=3), "assumed: gpus: missing or unknown"),
        (lambda told: told["assumed"]["days"].update(value=0), "assumed: days: its value is 0"),
        (lambda told: told["assumed"]["days"].update(value="x"), "assumed: days: its value is 'x'"),
        (lambda told: told["assumed"]["passes"].pop("best"), "assumed: passes: its value is None"),
        (lambda told: told["assumed"]["gpu_waits"].update(best=1), "gpu_waits: its value is 1, not a part below 1"),
        (lambda told: told["teacher"].update(depth=3), "depth"),
        (lambda told: told.update(scales=[]), "no scale"),
    ],
)
def test_figures_that_cannot_be_used_are_named(told, change, says):
    changed = copy.deepcopy(told)
    change(changed)
    with pytest.raises(UserError, match=says):
        Capacity.of(changed, "here", "best")


def test_the_page_is_that_of_the_figures(tmp_path):
    command = [sys.executable, ROOT / "steps/report_capacity.py", "--figures", FIGURES, "--out", tmp_path / "page.md"]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "page.md").read_text() == (ROOT / "docs/capacity.md").read_text()
