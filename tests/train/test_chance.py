"""What a training is told against: counts of labels by hand, and the look at what was kept."""

import json
import math

import numpy as np
import pytest
from lhotse import CutSet
from tests.train.toy_speech import SENONES, run, train_command

from understudy.align.archive import AlignmentReader, AlignmentWriter
from understudy.data.manifests import ManifestSpeech
from understudy.features import stacked_length
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.train.chance import Chance
from understudy.train.loop import Sets, Trainer, finish, log_priors
from understudy.train.options import TrainOptions
from understudy.train.schedule import Pass

LABELS = [np.array([0, 0, 1]), np.array([2, 0, 3, 3])]


def look(dev: float, accuracy: float) -> dict:
    return {"pass": 1, "updates": 9, "train": 0.5, "dev": dev, "dev_accuracy": accuracy}


def test_chance_is_what_labels_alone_bring():
    chance = Chance.of(LABELS, 4)
    assert (chance.senones, chance.frames, chance.commonest) == (4, 7, 3)
    assert chance.log == pytest.approx(-np.log(np.full(4, 0.25)).mean())
    assert chance.share == pytest.approx(3 / 7)


@pytest.mark.parametrize(
    ("dev", "accuracy", "cross_entropy", "told"),
    [
        (1.3, 0.5, True, []),
        (1.4, 0.5, True, ["dev loss 1.40 nats a frame, more than log(4 senones) = 1.39"]),
        (9.0, 0.5, False, []),  # a sequence criterion has no such bound
        (1.3, 0.4, False, ["40.0 % of dev frames right, and 42.9 % would be by always saying the commonest senone"]),
        (1.3, 3 / 7, True, ["42.9 % of dev frames right, and 42.9 % would be by"]),  # nothing but that was learnt
        (6.3, 0.1, True, ["dev loss 6.30", "10.0 % of dev frames right"]),
    ],
)
def test_what_is_not_above_chance_is_told_with_its_numbers(dev, accuracy, cross_entropy, told):
    found = Chance.of(LABELS, 4).failures(look(dev, accuracy), cross_entropy)
    assert len(found) == len(told) and all(one.startswith(start) for one, start in zip(found, told))


@pytest.mark.parametrize(
    ("keep", "kind", "failed"), [("best", "hard", False), ("last", "hard", True), ("last", "mmi", False)]
)
def test_the_look_is_at_what_was_kept(speech, tmp_path, caplog, keep, kind, failed):
    data = ManifestSpeech.labelled(speech / "labelled.jsonl.gz", speech / "labels")
    options = TrainOptions(max_frames=60, keep=keep, learning_rate=0.0123)
    trainer = Trainer(LstmModel(ModelOptions(1, 8), 192, SENONES), Sets(data, data), [Pass(kind)], options,
                      tmp_path / "out", 1, criteria={"mmi": lambda logits, batch: logits.sum()})  # fmt: skip
    good, bad = look(0.9 * math.log(SENONES), 0.9), look(2 * math.log(SENONES), 0.9)
    trainer.run = lambda: trainer.progress.history.extend([good, bad]) or trainer.model
    finish(trainer, log_priors(data, SENONES), {"warnings": ["of the model that it began from"]})
    assert len(trainer.model.meta["warnings"]) == failed
    assert ("levels of speakers or sets that differ" in caplog.text) == failed
    if failed:
        assert trainer.model.meta["warnings"][0].startswith(f"dev loss {bad['dev']:.2f} nats a frame")
        for told in ("steps/validate_corpus.py", "--train.learning_rate 0.0123", "train 0.500", str(trainer.folder)):
            assert told in caplog.text


@pytest.mark.parametrize("heard", [True, False])
def test_a_training_warns_where_dev_labels_have_nothing_to_do_with_dev_speech(speech, heard):
    if not heard:
        rng, labels = np.random.default_rng(1), AlignmentWriter(speech / "labels/dev", ["senone"])
        for cut in CutSet.from_file(speech / "dev.jsonl.gz"):
            frames = stacked_length(cut.num_frames)
            labels.write(cut.id, np.repeat(rng.integers(0, SENONES, frames), 4)[:frames], frames)
        labels.close()
    run(train_command(speech, "out", "--epochs", "5"))
    meta, told = json.loads((speech / "out/model.json").read_text())["meta"], (speech / "out/log.txt").read_text()
    assert (" WARNING the training failed: " in told) == bool(meta["warnings"]) == (not heard)
    if not heard:
        reader = AlignmentReader(speech / "labels/dev")
        cuts = CutSet.from_file(speech / "dev.jsonl.gz")
        rows = np.concatenate([reader.read(cut.id, stacked_length(cut.num_frames))[:, 0] for cut in cuts])
        share = 100 * np.unique(rows, return_counts=True)[1].max() / len(rows)
        right = 100 * min(meta["history"], key=lambda one: one["dev"])["dev_accuracy"]
        assert f"{right:.1f} % of dev frames right, and {share:.1f} % would be by always saying" in told
        assert "labels of another corpus or tree" in told
