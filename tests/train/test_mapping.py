"""Classes of a foreign inventory become senones by counting: the tables by hand, and a teacher that writes targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lhotse import CutSet, Features, LilcomChunkyWriter
from lhotse.utils import fastcopy
from tests.train.toy_speech import SENONES, make_speech

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.features import Normaliser, load_stacked, stacked_frames
from understudy.features.extract import normaliser_of
from understudy.features.kind import ENCODER, LOG_PROBABILITIES
from understudy.models.cooccurrence import CooccurrenceModel
from understudy.models.options import MapOptions, ModelOptions
from understudy.step import UserError
from understudy.targets import TargetReader
from understudy.targets.options import TargetOptions
from understudy.targets.teacher_pass import teacher_pass
from understudy.train.mapping import map_posteriors
from understudy.train.options import TrainingOptions
from understudy.train.setup import train

CLASSES = 5  # fewer than there are senones: several share one


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sets with log-mels and labels, and beside them what a foreign model recognises, a tenth of it wrong."""
    folder = make_speech(tmp_path_factory.mktemp("speech"))
    rng, out = np.random.default_rng(1), folder / "ctc"
    out.mkdir()
    for name in ("labelled", "dev", "unlabelled"):
        labels, cuts = AlignmentReader(folder / "labels" / name), []
        with LilcomChunkyWriter(out / f"{name}.lca") as store:
            for cut in CutSet.from_file(folder / f"{name}.jsonl.gz"):
                senones = labels.read(cut.id, stacked_frames(cut))[:, 0]
                said = np.where(
                    rng.random(len(senones)) < 0.1, rng.integers(0, CLASSES, len(senones)), senones % CLASSES
                )
                logits = rng.normal(0, 0.3, (len(said), CLASSES)) + 4 * np.eye(CLASSES)[said]
                frames = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
                features = Features(
                    f"{ENCODER}aaaa: letters, {LOG_PROBABILITIES}", len(frames), CLASSES, 0.03, 16000, 0, cut.duration,
                    store.name, str(store.storage_path), store.write(cut.id, frames), cut.id, 0,
                )  # fmt: skip
                cuts.append(fastcopy(cut, features=features))
        CutSet.from_cuts(cuts).to_file(out / f"{name}.jsonl.gz")
    normaliser_of(out / "labelled.jsonl.gz", None).save(out / "normaliser.json")
    return folder


def mapped(speech: Path, out: Path, smoothing: float = 10.0) -> CooccurrenceModel:
    map_posteriors(MapOptions(speech / "ctc/labelled.jsonl.gz", speech / "labels", out, smoothing), out)
    found = models.load(out)
    assert isinstance(found, CooccurrenceModel)
    return found


def test_tables_are_those_of_a_count_by_hand() -> None:
    model = CooccurrenceModel(ModelOptions(1, 1, kind="cooccurrence"), 2, 3)
    model.mean.copy_(torch.tensor([0.5, -1.0]))
    model.std.copy_(torch.tensor([2.0, 3.0]))
    sure = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.2, 0.8]])
    features = (sure.log() - model.mean) / model.std
    assert model.classes(features) == pytest.approx(sure, abs=1e-6)
    assert model.count([(features, torch.tensor([2, 0, 0]))], 1.0) == 3
    priors = np.array([3, 1, 2]) / 6  # a frame more of each
    assert model.log_priors.exp().numpy() == pytest.approx(priors, abs=1e-6)
    counts = np.array([[0.4, 1.6], [0.0, 0.0], [0.9, 0.1]]) + priors[:, None]
    table = counts / counts.sum(0)
    assert model.output.weight.detach().numpy() == pytest.approx(table, abs=1e-6)
    assert model.log_posteriors([features])[0].exp().numpy() == pytest.approx(sure.numpy() @ table.T, abs=1e-5)


def test_it_hears_senones_as_far_as_classes_tell_them_apart(speech: Path, tmp_path: Path) -> None:
    model = mapped(speech, tmp_path)
    normaliser, labels = Normaliser.load(speech / "ctc/normaliser.json"), AlignmentReader(speech / "labels/dev")
    right, all_frames, of_class = 0, 0, 0
    for cut in CutSet.from_file(speech / "ctc/dev.jsonl.gz"):
        senones = labels.read(cut.id, stacked_frames(cut))[:, 0]
        best = model.log_posteriors([torch.from_numpy(load_stacked(cut, normaliser))])[0].argmax(1).numpy()
        right, of_class = right + (best == senones).sum(), of_class + (best % CLASSES == senones % CLASSES).sum()
        all_frames += len(senones)
    assert of_class / all_frames > 0.85 and 1 / SENONES < right / all_frames < of_class / all_frames
    assert model.meta["labelled_hours"] > 0 and model.meta["updates"] == 0


def test_its_targets_are_written_as_any_teachers(speech: Path, tmp_path: Path) -> None:
    model, feats = mapped(speech, tmp_path / "teacher"), speech / "ctc/unlabelled.jsonl.gz"
    teacher_pass(TargetOptions(tmp_path / "teacher", [feats], tmp_path / "targets", k=4, jobs=1), tmp_path / "targets")
    reader, normaliser = (
        TargetReader([tmp_path / "targets/unlabelled"]),
        Normaliser.load(feats.parent / "normaliser.json"),
    )
    cut = next(iter(CutSet.from_file(feats)))
    _, values = reader.read(cut.id, stacked_frames(cut))
    expected = model.log_posteriors([torch.from_numpy(load_stacked(cut, normaliser))])[0].topk(4).values.exp().sum(1)
    assert np.exp(values).sum(1) == pytest.approx(expected.numpy(), abs=0.05)


def test_a_class_that_is_hardly_said_means_no_more_than_senones_in_general(speech: Path, tmp_path: Path) -> None:
    sure, unsure = mapped(speech, tmp_path / "sure", 1e-3), mapped(speech, tmp_path / "unsure", 1e7)
    assert sure.output.weight.max() > 0.3
    assert unsure.output.weight.detach() == pytest.approx(
        unsure.log_priors.exp()[:, None].expand(-1, CLASSES), abs=1e-3
    )


def test_what_is_no_such_speech_or_is_trained_is_refused(speech: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has features of log-mels, not of one kind .* --encoder\.head ctc"):
        map_posteriors(MapOptions(speech / "labelled.jsonl.gz", speech / "labels", tmp_path), tmp_path)
    options = TrainingOptions(
        speech / "ctc/labelled.jsonl.gz", speech / "ctc/dev.jsonl.gz", speech / "labels", tmp_path, epochs=1,
        model=ModelOptions(1, 1, kind="cooccurrence"),
    )  # fmt: skip
    with pytest.raises(UserError, match=r"is counted, not trained. Run steps/map_posteriors\.py"):
        train(options, tmp_path)
    with pytest.raises(UserError, match=r"--model\.delay is an LSTM's, and --model\.kind is cooccurrence"):
        ModelOptions(1, 1, delay=3, kind="cooccurrence")
