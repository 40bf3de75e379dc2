"""Stage 6 in one process: which teacher is heard, and what is told of what cannot be stored."""

import shutil
from pathlib import Path

import pytest
import torch
from tests.train.toy_speech import SENONES, make_speech

from understudy import models
from understudy.decode.search import Beams, Scales
from understudy.models import AcousticModel, ModelOptions
from understudy.stage import UserError
from understudy.stage.workers import Workers
from understudy.targets.compute import Written, compute
from understudy.targets.teaching import Teaching


def make_teacher(folder: Path, seed: int) -> Path:
    """One that has learnt nothing."""
    torch.manual_seed(seed)
    models.save(AcousticModel(ModelOptions(1, 8), 192, SENONES), folder / "teacher")
    return folder / "teacher"


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    return make_speech(tmp_path_factory.mktemp("speech"))


def teaching(model: Path) -> Teaching:
    return Teaching(model, "soft", 3, Scales(1.0, 0.0), Beams())


def write(teaching: Teaching, speech: Path, out: Path) -> Written:
    return compute(teaching, speech / "unlabelled.jsonl.gz", out, teaching.described(), Workers(1), 10)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_no_numbers_name_the_cut_and_the_model(speech, tmp_path, bad):
    model = models.load(make_teacher(tmp_path, 0))
    model.output.bias.data[2] = bad
    models.save(model, tmp_path / "teacher")
    with pytest.raises(UserError, match=r"cut unlabelled\d: .*/teacher gives logits that are not finite"):
        write(teaching(tmp_path / "teacher"), speech, tmp_path / "targets")


def test_a_teacher_that_was_trained_again_at_the_same_place_is_another(speech, tmp_path):
    """As in a process that outlives the step."""
    first = teaching(make_teacher(tmp_path, 0))
    write(first, speech, tmp_path / "first")
    second = teaching(make_teacher(tmp_path, 1))
    write(second, speech, tmp_path / "second")
    assert first != second and first.described()["teacher_fingerprint"] != second.described()["teacher_fingerprint"]
    elsewhere = teaching(Path(shutil.copytree(tmp_path / "teacher", tmp_path / "elsewhere/teacher")))
    write(elsewhere, speech, tmp_path / "third")
    shards = [(tmp_path / name / "00001.targets").read_bytes() for name in ("first", "second", "third")]
    assert shards[0] != shards[1] == shards[2]
    with pytest.raises(UserError, match="teacher: made again while"):
        first.load()
