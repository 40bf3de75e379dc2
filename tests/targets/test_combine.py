"""One set of soft targets of several teachers' is the mean of what each of them kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from understudy.step import UserError
from understudy.targets import TargetReader, TargetWriter
from understudy.targets.combine import combine_targets
from understudy.targets.options import CombineTargetsOptions
from understudy.targets.store import shard_path, top_k

SENONES, LENGTHS = 12, {"a": 7, "b": 1, "c": 20, "d": 4}


def teacher(folder: Path, seed: int, tree: str = "oak", cuts: str = "abcd", **more: str) -> dict[str, torch.Tensor]:
    """Its targets in folder/unlabelled, two cuts a shard, all senones kept; its posteriors by cut."""
    described = {"senones": SENONES, "tree": tree, "teacher": f"t{seed}", "k": SENONES, "supervision": "soft"}
    writer = TargetWriter(folder / "unlabelled", described | more, least=0.0)
    draw = torch.Generator().manual_seed(seed)
    logits = {cut: 3 * torch.randn(LENGTHS[cut], SENONES, generator=draw) for cut in cuts}
    for shard in range(0, len(cuts), 2):
        writer.write(shard // 2, {cut: top_k(logits[cut], SENONES) for cut in cuts[shard : shard + 2]})
    writer.close((len(cuts) + 1) // 2)
    return {cut: one.softmax(1) for cut, one in logits.items()}


def combined(folder: Path, *names: str, **how: object) -> Path:
    options = CombineTargetsOptions([folder / name / "unlabelled" for name in names], folder / "out", **how)
    combine_targets(options, folder / "out")
    return folder / "out/unlabelled"


@pytest.mark.parametrize("weights", [None, [1.0, 3.0]])
def test_posteriors_are_the_weighted_mean(tmp_path: Path, weights: list[float] | None) -> None:
    one, other = teacher(tmp_path / "one", 1), teacher(tmp_path / "other", 2)
    first, second = (0.5, 0.5) if weights is None else (0.25, 0.75)
    reader = TargetReader([combined(tmp_path, "one", "other", weights=weights, k=SENONES, least=0.0)])
    assert reader.describe["teacher"] == "t1+t2" and reader.describe["tree"] == "oak"
    for cut, frames in LENGTHS.items():
        senones, values = reader.read(cut, frames)
        found = np.zeros((frames, SENONES), np.float32)
        np.put_along_axis(found, senones, np.exp(values), 1)
        expected = (first * one[cut] + second * other[cut]).numpy()
        assert np.abs(found - expected).max() < 0.05  # stored on few levels, twice
        assert np.abs(found - expected).mean() < 0.005


def test_the_likeliest_of_all_are_kept(tmp_path: Path) -> None:
    one, other = teacher(tmp_path / "one", 1), teacher(tmp_path / "other", 2)
    senones, _ = TargetReader([combined(tmp_path, "one", "other", k=2)]).read("c", 20)
    best = (one["c"] + other["c"]).argmax(1)
    assert np.mean([b in kept for b, kept in zip(best.tolist(), senones.tolist(), strict=True)]) > 0.9


def test_a_run_that_was_killed_goes_on_and_cuts_that_some_lack_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    teacher(tmp_path / "one", 1)
    teacher(tmp_path / "other", 2, cuts="abd")
    out = combined(tmp_path, "one", "other")
    assert "1 cuts have targets of the first teacher and not of all, and were left out" in caplog.text
    assert "c" not in TargetReader([out]) and "d" in TargetReader([out])
    before = [shard_path(out, number).stat().st_mtime_ns for number in (0, 1)]
    whole = shard_path(out, 1).read_bytes()
    shard_path(out, 1).unlink()
    (out / "targets.json").unlink()
    combined(tmp_path, "one", "other")
    assert shard_path(out, 0).stat().st_mtime_ns == before[0] and shard_path(out, 1).read_bytes() == whole


def test_what_does_not_belong_together_is_told(tmp_path: Path) -> None:
    for name, how in (("one", {}), ("elm", {"tree": "elm"}), ("hard", {"supervision": "best-path"})):
        teacher(tmp_path / name, 1, **how)
    with pytest.raises(UserError, match=r"elm/unlabelled: its tree must be oak, as in .*one/unlabelled, got elm"):
        combined(tmp_path, "one", "elm")
    with pytest.raises(UserError, match=r"its supervision must be soft, as in .*, got best-path"):
        combined(tmp_path, "one", "hard")
    with pytest.raises(UserError, match="give at least two, and each once"):
        combined(tmp_path, "one", "one")
    with pytest.raises(UserError, match="--weights must be 2 numbers, one for each of --targets, got 1"):
        combined(tmp_path, "one", "elm", weights=[1.0])


def test_the_step_says_what_it_is_for(tmp_path: Path) -> None:
    teacher(tmp_path / "one", 1)
    teacher(tmp_path / "other", 2)
    step = Path(__file__).parents[2] / "steps/combine_targets.py"
    names = ",".join(str(tmp_path / name / "unlabelled") for name in ("one", "other"))
    command = [sys.executable, str(step), "--targets", f"[{names}]", "--out", str(tmp_path / "out")]
    for said in ("shard 2 of 2", "is up to date"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and said in done.stderr, done.stderr
