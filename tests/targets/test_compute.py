"""Stage 6 in one process: which teacher is heard, and what is told of what cannot be stored."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lhotse import CutSet
from tests.train.toy_speech import ROOT, SENONES, make_speech

from understudy import models
from understudy.decode.options import Beams
from understudy.decode.search import Scales
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.parallel.workers import Workers
from understudy.step import UserError, write_json
from understudy.targets.compute import Written, compute
from understudy.targets.cost import cpu_seconds_per_hour
from understudy.targets.supervision import TargetSupervision


def make_teacher(folder: Path, seed: int) -> Path:
    """One that has learnt nothing."""
    torch.manual_seed(seed)
    models.save(LstmModel(ModelOptions(1, 8), 192, SENONES), folder / "teacher")
    return folder / "teacher"


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    return make_speech(tmp_path_factory.mktemp("speech"))


def teaching(model: Path) -> TargetSupervision:
    return TargetSupervision(model, "soft", 3, Scales(1.0, 0.0), Beams())


def write(teaching: TargetSupervision, speech: Path, out: Path) -> Written:
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


def test_the_cost_of_a_set_is_that_of_its_shards_in_however_many_runs(speech, tmp_path):
    one = teaching(make_teacher(tmp_path, 0))
    whole = write(one, speech, tmp_path / "targets")
    assert whole.cost.cpu > 0 and whole.cost.seconds == pytest.approx(whole.seconds, abs=0.01)
    assert whole.frames_now == whole.frames and whole.cost.per_hour() > 0
    last = tmp_path / "targets/00002.targets"
    bytes_ = last.read_bytes()
    last.unlink()
    again = write(one, speech, tmp_path / "targets")
    assert last.read_bytes() == bytes_ and 0 < again.frames_now < again.frames == whole.frames
    assert again.cost.seconds == whole.cost.seconds and again.cost.per_hour() > 0
    before = {path: path.read_bytes() for path in (tmp_path / "targets").glob("*.cost.json")}
    assert len(before) == 3 and write(one, speech, tmp_path / "targets").cost == again.cost
    (tmp_path / "targets/00000.cost.json").unlink()  # of a shard that was made before these were written
    rest = write(one, speech, tmp_path / "targets")
    assert 0 < rest.cost.seconds < rest.seconds and rest.frames_now == 0
    for path in before:
        path.unlink(missing_ok=True)
    assert write(one, speech, tmp_path / "targets").cost.per_hour() is None


def test_a_cost_that_is_not_known_is_none(tmp_path):
    assert cpu_seconds_per_hour([tmp_path / "a"]) is None
    told = {"a": {"hours": 1.0, "cpu_s_per_hour": 6.0}, "b": {"hours": 3.0, "cpu_s_per_hour": 2.0}}
    write_json(tmp_path / "report.json", told)
    assert cpu_seconds_per_hour([tmp_path / "a", tmp_path / "b"]) == 3.0
    write_json(tmp_path / "report.json", {**told, "b": {"hours": 3.0, "cpu_s_per_hour": None}})
    assert cpu_seconds_per_hour([tmp_path / "a", tmp_path / "b"]) is None


def test_options_and_manifests_that_make_no_sense_are_one_sentence(speech, tmp_path):
    model = make_teacher(tmp_path, 0)
    CutSet.from_cuts([]).to_file(tmp_path / "empty.jsonl.gz")
    (tmp_path / "unlabelled.jsonl.gz").write_bytes((speech / "unlabelled.jsonl.gz").read_bytes())
    sound = speech / "unlabelled.jsonl.gz"
    for feats, more, status, said in (
        ([sound], ["--k", "300"], 1, "--k 300: keep at least 1 and at most 255 senones"),
        ([sound], ["--k", "0"], 1, "--k 0: keep at least 1"),
        ([sound], ["--shard-size", "0"], 2, "Not of type PositiveInt: 0"),
        ([sound, tmp_path / "empty.jsonl.gz"], [], 1, "empty.jsonl.gz: no cuts"),
        ([sound, tmp_path / "unlabelled.jsonl.gz"], [], 1, "both would be written to one folder"),
    ):
        command = [sys.executable, ROOT / "steps/make_targets.py", "--model", model, "--jobs", "1", "--out"]
        command += [tmp_path / "out", "--feats", f"[{', '.join(map(str, feats))}]", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == status and said in done.stderr and "Traceback" not in done.stderr
        assert not list((tmp_path / "out").rglob("*.targets"))
