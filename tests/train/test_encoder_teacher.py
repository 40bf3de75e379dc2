"""A teacher on an encoder's features, and a student on log-mels of the same cuts that learns from its targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lhotse import CutSet, Features, LilcomChunkyWriter
from lhotse.utils import fastcopy
from tests.train.toy_speech import SENONES, make_speech

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.data.channel import ChannelOptions
from understudy.data.manifests import ManifestSpeech
from understudy.data.nonspeech import Senones, Sounds, WithNonspeech
from understudy.data.spec_augment import SpecAugment
from understudy.data.vocal_tract import VocalTractOptions
from understudy.features import Normaliser, stacked_frames
from understudy.features.extract import normaliser_of
from understudy.features.kind import ENCODER
from understudy.models.combine import combine
from understudy.models.options import CombineOptions, ModelOptions
from understudy.parallel.workers import Workers
from understudy.shar.write import write_shar
from understudy.step import UserError, read_json
from understudy.targets.options import TargetOptions
from understudy.targets.teacher_pass import teacher_pass
from understudy.train.options import TrainingOptions, TrainOptions
from understudy.train.setup import train

WIDTH = 16


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sets with log-mels and labels, and beside them, in ears/, features of an encoder that hears senones."""
    folder = make_speech(tmp_path_factory.mktemp("speech"))
    hear(folder, "ears", "aaaa: ears, last layer")
    return folder


def hear(folder: Path, out: str, kind: str, sets: tuple[str, ...] = ("labelled", "dev", "unlabelled")) -> None:
    """Features of such a kind."""
    rng, means = np.random.default_rng(1), np.random.default_rng(0).normal(0, 1, (SENONES, WIDTH))
    (folder / out).mkdir()
    for name in sets:
        labels, cuts = AlignmentReader(folder / "labels" / name), []
        with LilcomChunkyWriter(folder / out / f"{name}.lca") as store:
            for cut in CutSet.from_file(folder / f"{name}.jsonl.gz"):
                senones = labels.read(cut.id, stacked_frames(cut))[:, 0]
                frames = (means[senones] + rng.normal(0, 0.3, (len(senones), WIDTH))).astype(np.float32)
                features = Features(
                    f"{ENCODER}{kind}", len(frames), WIDTH, 0.03, 16000, 0, cut.duration, store.name,
                    str(store.storage_path), store.write(cut.id, frames), cut.id, 0,
                )  # fmt: skip
                cuts.append(fastcopy(cut, features=features))
        CutSet.from_cuts(cuts).to_file(folder / out / f"{name}.jsonl.gz")
    normaliser_of(folder / out / f"{sets[0]}.jsonl.gz", None).save(folder / out / "normaliser.json")


def options(folder: Path, feats: str, out: str, epochs: int = 6, **more: object) -> TrainingOptions:
    """A training on one of the two kinds of features."""
    more.setdefault("train", TrainOptions(max_frames=60, learning_rate=0.01, channel=ChannelOptions(share=0.0)))
    more.setdefault("model", ModelOptions(1, 24, kind="tdnnf", bottleneck=8))
    return TrainingOptions(
        folder / feats / "labelled.jsonl.gz", folder / feats / "dev.jsonl.gz", folder / "labels", folder / out,
        epochs=epochs, threads=1, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def teacher(speech: Path) -> Path:
    """Trained on what the encoder makes of the labelled speech."""
    train(wanted := options(speech, "ears", "teacher"), wanted.out)
    return wanted.out


def accuracy(folder: Path, feats: str, model: Path, name: str = "dev") -> float:
    """Share of frames whose likeliest senone is the label."""
    network, labels = models.load(model), AlignmentReader(folder / "labels" / name)
    cuts = list(CutSet.from_file(folder / feats / f"{name}.jsonl.gz"))
    heard = models.heard(network, cuts, Normaliser.load(folder / feats / "normaliser.json"))
    pairs = zip(cuts, network.log_posteriors(heard), strict=True)
    return float(np.mean(np.concatenate([
        p.argmax(1).numpy() == labels.read(c.id, len(p))[:, 0] for c, p in pairs
    ])))  # fmt: skip


def test_a_teacher_hears_an_encoder_and_teaches_a_student_of_log_mels(speech: Path, teacher: Path) -> None:
    assert accuracy(speech, "ears", teacher) > 0.95
    assert models.load(teacher).inputs == WIDTH and models.hears(models.load(teacher)) == "aaaa: ears, last layer"
    feats = [speech / "ears/unlabelled.jsonl.gz"]
    teacher_pass(TargetOptions(teacher, feats, speech / "targets", k=3, jobs=1, shard_size=10), speech / "targets")
    student = options(
        speech, ".", "student", 2, unlabelled=[speech / "unlabelled.jsonl.gz"], sub_epochs=2,
        targets=[speech / "targets/unlabelled"], model=ModelOptions(1, 24),
    )  # fmt: skip
    train(student, student.out)
    described = read_json(student.out / "model.json")
    assert described["inputs"] == 192 and "features" not in described["meta"]
    assert described["meta"]["teacher"] == "teacher" and described["meta"]["unlabelled_hours"] > 0
    assert accuracy(speech, ".", student.out) > 0.9


def test_stored_frames_are_heard_as_they_are(speech: Path) -> None:
    """Not moved by 10 ms as stacks are; bands of an encoder's channels are masked as bands of mels are."""
    data = ManifestSpeech.labelled(speech / "ears/labelled.jsonl.gz", speech / "labels")
    (spans,) = data.order(10**6, None)
    plain = data.batch(spans, None, [0])
    assert plain.features.shape[2] == WIDTH and plain.frames == sum(map(stacked_frames, data.cuts))
    assert np.array_equal(data.batch(spans, SpecAugment(0, 0, 0, 0), [0]).features, plain.features)
    masked = data.batch(spans, SpecAugment(freq_masks=1, freq_width=3, time_masks=0), [0])
    changed = (masked.features != plain.features).any(1)
    assert changed.sum() > 0 and changed.sum(1).max() <= 3


def test_other_features_than_the_teachers_are_refused(speech: Path, teacher: Path) -> None:
    hear(speech, "changed", "bbbb: ears, last layer", ("unlabelled",))
    hear(speech, "renamed", "aaaa: ears of another name, last layer", ("unlabelled",))

    def targets(feats: str, out: str) -> TargetOptions:
        return TargetOptions(teacher, [speech / feats / "unlabelled.jsonl.gz"], speech / out, k=3, jobs=1)

    told = r"cut unlabelled\d+: has features of {}, and the model was trained on aaaa: ears, last layer\. Give the"
    for feats, kind in ((".", "log-mels"), ("changed", "bbbb: ears, last layer")):
        with pytest.raises(UserError, match=told.format(kind)):
            teacher_pass(targets(feats, "refused"), speech / "refused")
    teacher_pass(targets("renamed", "taken"), speech / "taken")


@pytest.mark.parametrize(
    ("labelled", "dev", "init", "train_options", "told"),
    [
        ("ears", ".", None, {}, "labelled speech has features of aaaa: ears, last layer, the dev speech of log-mels"),
        ("ears", "ears", None, {"channel": ChannelOptions()}, "channel.share 0.8: .* made on log-mels, and these are"),
        ("ears", "ears", None, {"vocal_tract": VocalTractOptions(share=0.5)}, "vocal_tract.share 0.5: .* log-mels"),
        (".", ".", "teacher", {}, r"labelled\.jsonl\.gz: has features of log-mels, and the model was trained on aaaa"),
    ],
)
def test_features_that_do_not_go_together_are_told(
    speech: Path, teacher: Path, labelled: str, dev: str, init: str | None, train_options: dict, told: str
) -> None:
    wanted = options(speech, labelled, "refused", init=speech / init if init else None)
    wanted.dev = speech / dev / "dev.jsonl.gz"
    wanted.train = TrainOptions(**{"max_frames": 60, "channel": ChannelOptions(share=0.0), **train_options})
    with pytest.raises(UserError, match=told):
        train(wanted, wanted.out)


def test_sounds_of_another_kind_are_refused(speech: Path) -> None:
    data = ManifestSpeech.labelled(speech / "ears/labelled.jsonl.gz", speech / "labels")
    with pytest.raises(UserError, match="the sounds without words have features of log-mels, the speech of aaaa: ears"):
        WithNonspeech(data, Sounds(speech / "dev.jsonl.gz"), Senones(0, 1), 0.1)
    mixed = WithNonspeech(data, Sounds(speech / "ears/dev.jsonl.gz"), Senones(0, 1), 0.3)
    (spans,) = mixed.order(10**6, 0)
    assert mixed.batch(spans, SpecAugment(1, 3), [0]).features.shape[2] == WIDTH and len(spans) > len(data.cuts)


def test_cuts_of_two_kinds_are_told_by_name(speech: Path, tmp_path: Path) -> None:
    cuts = [next(iter(CutSet.from_file(speech / name))) for name in ("labelled.jsonl.gz", "ears/labelled.jsonl.gz")]
    CutSet.from_cuts([fastcopy(cuts[0], id="labelled1"), cuts[1]]).to_file(tmp_path / "labelled.jsonl.gz")
    (tmp_path / "normaliser.json").write_bytes((speech / "normaliser.json").read_bytes())
    with pytest.raises(UserError, match="cut labelled0 has features of aaaa: ears, last layer, and cut labelled1 of"):
        ManifestSpeech.labelled(tmp_path / "labelled.jsonl.gz", speech / "labels")


def test_a_stream_holds_log_mels_alone(speech: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has features of aaaa: ears, last layer; a stream holds log-mels alone"):
        write_shar(speech / "ears/labelled.jsonl.gz", tmp_path / "shar", Workers(1), speech / "labels")


def test_teachers_on_several_kinds_are_not_one(speech: Path, teacher: Path, tmp_path: Path) -> None:
    other = models.load(teacher)
    other.meta = {**other.meta, "features": "bbbb: ears, last layer"}
    models.save(other, tmp_path / "other")
    with pytest.raises(UserError, match=r"features: bbbb: ears, last layer -> aaaa: ears, last layer"):
        combine(CombineOptions([teacher, tmp_path / "other"], tmp_path / "both"), tmp_path / "both")
