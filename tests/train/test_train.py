"""Losses against dense sums and finite differences, the schedule, a killed training, soft targets on disk."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from lhotse import CutSet, LilcomChunkyWriter, MonoCut
from lhotse.utils import fastcopy
from safetensors.torch import load_file
from tests.train.toy_speech import ROOT, SENONES, kill_when, run, train_command

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.corpus.build import COPY_OF
from understudy.data.batches import Batch, Span
from understudy.data.manifests import ManifestSpeech
from understudy.features import Normaliser, stacked_length
from understudy.features.kind import LOGMELS
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.step import Step, UserError, write_json
from understudy.targets import TargetReader, TargetWriter
from understudy.targets.store import top_k
from understudy.train import losses, setup
from understudy.train.criteria import Hard, Soft
from understudy.train.loop import Sets, Trainer
from understudy.train.options import SequenceTrainingOptions, TrainingOptions, TrainOptions
from understudy.train.schedule import Pass, learning_rate, passes


def test_soft_loss_is_the_dense_cross_entropy_over_what_was_kept():
    torch.manual_seed(0)
    teacher, student = torch.randn(9, 30), torch.randn(9, 30)
    kept = top_k(teacher, 5)
    loss = losses.soft(student, kept["senones"].long(), kept["log_posteriors"].float())
    q = torch.zeros(9, 30)
    for t in range(9):
        best = teacher[t].argsort(descending=True)[:5]
        q[t, best] = teacher[t, best].exp() / teacher[t, best].exp().sum()
    assert float(loss) == pytest.approx(float(-(q * student.log_softmax(1)).sum(1).mean()), abs=2e-3)  # fp16 values


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize(("share", "temperature"), [(0.0, 1.0), (0.3, 1.0), (1.0, 2.0)])
def test_gradients_are_those_of_finite_differences(share, temperature, spread):
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 7, dtype=torch.double, requires_grad=True)
    labels, senones = torch.randint(0, 7, (4,)), torch.stack([torch.randperm(7)[:3] for _ in range(4)])
    values = torch.randn(4, 7, dtype=torch.double).log_softmax(1)[:, :3]
    batch = Batch(["u", "v"], torch.zeros(2, 2, 1), torch.tensor([2, 2]), labels, senones, values)
    assert torch.autograd.gradcheck(lambda z: Hard(share, Soft(temperature, spread))(z, batch), logits)


def test_each_utterance_counts_by_what_it_has():
    torch.manual_seed(0)
    logits = torch.randn(3, 4, 7, dtype=torch.double, requires_grad=True)
    labels, lengths = torch.randint(0, 7, (9,)), torch.tensor([4, 2, 3])
    values, senones = torch.randn(2, 7, dtype=torch.double).log_softmax(1).topk(3)
    taught = torch.tensor([False] * 4 + [True] * 2 + [False] * 3)
    batch = Batch(["u", "v", "w"], torch.zeros(3, 4, 1), lengths, labels, senones, values, taught)
    rows = batch.rows(logits)
    alone = Batch(["v"], torch.zeros(1, 2, 1), torch.tensor([2]), labels[4:6], senones, values)
    hard = losses.hard(rows[~taught], labels[~taught])
    criterion = Hard(0.3, Soft())
    expected = (7 * hard + 2 * criterion(logits[1:2, :2], alone)) / 9
    assert float(criterion(logits, batch)) == pytest.approx(float(expected))
    assert torch.autograd.gradcheck(lambda z: criterion(z, batch), logits)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_mass_that_is_spread_is_that_of_a_dense_sum(temperature):
    torch.manual_seed(0)
    teacher, student = torch.randn(9, 30).double(), torch.randn(9, 30).double()
    values, senones = teacher.log_softmax(1).topk(5)
    p = torch.zeros(9, 30).double().scatter(1, senones, values.exp())
    p = torch.where(p > 0, p, (1 - p.sum(1, keepdim=True)) / 25)
    q = (p.log() / temperature).softmax(1)
    expected = -(q * (student / temperature).log_softmax(1)).sum(1).mean() * temperature**2
    assert float(losses.soft(student, senones, values, temperature, True)) == pytest.approx(float(expected))


def test_one_senone_of_a_frame_is_a_hard_label():
    torch.manual_seed(0)
    teacher, student = torch.randn(9, 30), torch.randn(9, 30)
    values, senones = teacher.log_softmax(1).topk(1)
    assert float(losses.soft(student, senones, values)) == pytest.approx(float(losses.hard(student, teacher.argmax(1))))


def test_all_senones_kept_and_no_temperature_is_distillation_without_loss():
    torch.manual_seed(0)
    teacher = torch.randn(5, 8)
    kept = top_k(teacher, 20)  # more than there are
    assert kept["senones"].shape == (5, 8)
    entropy = float(-(teacher.softmax(1) * teacher.log_softmax(1)).sum(1).mean())
    own = losses.soft(teacher, kept["senones"].long(), kept["log_posteriors"].float())
    assert float(own) == pytest.approx(entropy, abs=1e-3)


def test_schedule():
    assert passes(2, 0) == [Pass("hard"), Pass("hard")]
    plan = passes(1, 2, 1)
    assert plan == [Pass("soft", 0, 2), Pass("hard"), Pass("soft", 1, 2), Pass("hard"), Pass("hard")]
    halves = passes(1, 3, 0, 0.5)[1::2]
    assert halves == [Pass("hard", 0, 2), Pass("hard", 1, 2), Pass("hard", 0, 2)]
    assert passes(1, 2, 0, 0) == [Pass("soft", 0, 2), Pass("soft", 1, 2)]
    assert passes(1, 1, 0, 3) == [Pass("soft", 0, 1)] + [Pass("hard")] * 3
    with pytest.raises(UserError, match="a whole number"):
        passes(1, 1, 0, 0.7)
    rates = [learning_rate(u, 100, 1.0, 0.05, 0.01) for u in range(100)]
    assert max(rates) == 1.0 and rates.index(1.0) == 4 and rates[-1] < 0.02 and rates[0] == 0.2


@pytest.mark.parametrize(
    "options",
    [
        ModelOptions(2, 8, bidirectional=True, dropout=0.3),
        ModelOptions(2, 8, bidirectional=True, centred=True, dropout=0.3),
        ModelOptions(2, 8, delay=3, dropout=0.3),
        ModelOptions(2, 8, projection=3, dropout=0.3),
    ],
)
def test_padding_changes_nothing_and_the_folder_keeps_the_model(tmp_path, options):
    torch.manual_seed(0)
    model = LstmModel(options, 5, SENONES)
    long, short = torch.randn(9, 5), torch.randn(6, 5)
    together, alone = model.logits([long, short])[1], model.logits([short])[0]
    assert torch.allclose(together, alone, atol=1e-6)
    models.save(model, tmp_path)
    assert torch.equal(models.load(tmp_path).logits([short])[0], alone)
    (tmp_path / "model.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes()[:200])
    with pytest.raises(UserError, match=r"model\.safetensors: not the weights"):
        models.load(tmp_path)


def test_bidirectional_is_torchs_own():
    torch.manual_seed(0)
    ours = LstmModel(ModelOptions(1, 8, bidirectional=True, dropout=0.0), 5, SENONES).eval()
    theirs = torch.nn.LSTM(5, 8, bidirectional=True, batch_first=True)
    for direction, suffix in enumerate(("", "_reverse")):
        for name, weight in ours.layers[0][direction].named_parameters():
            getattr(theirs, name + suffix).data.copy_(weight)
    batch = torch.randn(1, 7, 5)
    expected = ours.output(ours.norms[0](theirs(batch)[0]))
    assert torch.allclose(ours(batch, torch.tensor([7])), expected, atol=1e-5)


def test_a_centred_teacher_does_not_hear_the_channel():
    torch.manual_seed(0)
    model = LstmModel(ModelOptions(1, 8, bidirectional=True, centred=True), 5, SENONES)
    speech = torch.randn(7, 5)
    here, there = (model.logits([heard])[0] for heard in (speech, speech + torch.randn(5)))
    assert torch.allclose(here, there, atol=1e-5)
    with pytest.raises(UserError, match="centred"):
        LstmModel(ModelOptions(1, 8, centred=True), 5, SENONES)


def test_delay_hears_the_future_and_no_more():
    torch.manual_seed(0)
    model = LstmModel(ModelOptions(1, 8, delay=2, dropout=0.0), 5, SENONES)
    base = torch.randn(10, 5)
    changed = base.clone()
    changed[7] += 1
    differs = (model.logits([base])[0] - model.logits([changed])[0]).abs().amax(1) > 1e-7
    assert not differs[:5].any() and differs[5]


def test_chunks_cover_every_frame_once_and_carry_their_own_labels(speech):
    data = speech_data(speech)
    whole = [span for batch in data.order(60, 1) for span in batch]
    assert sorted(s.number for s in whole) == list(range(24)) and all(s.start == 0 for s in whole)
    orders = [data.order(60, seed, chunk=8) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    for number in range(24):
        spans = sorted(s for batch in orders[0] for s in batch if s.number == number)
        frames = stacked_length(data.cuts[number].num_frames)
        assert [s.start for s in spans] == [0, *(s.stop for s in spans[:-1])] and spans[-1].stop == frames
        assert len(spans) > 1 and all(4 <= s.stop - s.start <= 12 for s in spans)
        batch = data.batch(spans, None, [0])
        assert torch.equal(batch.labels, data.batch([Span(number, 0, frames)], None, [0]).labels)
    assert all(len(b) * max(s.stop - s.start for s in b) <= 60 for b in orders[0])


@pytest.mark.parametrize(
    "options",
    [
        ModelOptions(2, 8, delay=2),
        ModelOptions(2, 8, bidirectional=True),
        ModelOptions(2, 8, kind="tdnnf"),
    ],
)
def test_a_chunk_is_heard_with_its_past_and_its_true_future(speech, options):
    torch.manual_seed(1)
    data, model = speech_data(speech), models.build(options, 192, SENONES).eval()
    cut = int(np.argmax([cut.num_frames for cut in data.cuts]))
    frames = stacked_length(data.cuts[cut].num_frames)
    spans, around = [Span(cut, 9, 14), Span(cut, 0, 4), Span(cut, frames - 3, frames)], model.hears_around(4)
    batch = data.batch(spans, None, [0], around=around)
    whole = data.batch([Span(cut, 0, frames)], None, [0])
    assert batch.frames == len(batch.labels) == 12
    assert around == {"lstm": (4, 4 if options.bidirectional else 2), "tdnnf": (3, 3)}[options.kind]
    assert torch.equal(batch.labels, torch.cat([whole.labels[start:stop] for _, start, stop in spans]))
    with torch.no_grad():
        rows, end = batch.rows(model(batch.features, batch.lengths)), 0
        for _, start, stop in spans:
            first, last = max(0, start - around[0]), stop + around[1]
            if options.kind == "tdnnf":  # all of its context
                first, last = 0, frames
            elif not options.bidirectional:
                last = frames
            heard = whole.features[:, first:last]
            alone = model(heard, torch.tensor([heard.shape[1]]))[0, start - first : stop - first]
            # In another order of sums: a batch is padded, an utterance alone is not.
            torch.testing.assert_close(rows[end : (end := end + stop - start)], alone, atol=1e-4, rtol=1e-4)


def test_the_last_passes_hear_whole_utterances_in_batches_of_their_own_size(speech, tmp_path):
    data = speech_data(speech)
    model = LstmModel(ModelOptions(1, 8), 240, SENONES)

    def spans(number: int, **options: Any) -> list[list[Span]]:
        options = TrainOptions(max_frames=60, chunk=8, full_utterance_share=0.5, **options)
        trainer = Trainer(model, Sets(data, data), [Pass("hard", 0, 1)] * 2, options, tmp_path, 1)
        assert trainer.updates == sum(len(list(trainer._order(i))) for i in range(2))
        return [spans for update in trainer._order(number) for spans in update]

    longest = max(stacked_length(cut.num_frames) for cut in data.cuts)
    assert spans(0, whole_frames=4 * longest) == spans(0)  # chunks are as before
    same, larger = spans(1), spans(1, whole_frames=4 * longest)
    assert all(span.start == 0 for batch in same + larger for span in batch)
    assert len(larger) < len(same)
    assert max(len(batch) * max(span.stop for span in batch) for batch in larger) <= 4 * longest


def test_copies_at_other_speeds_are_not_counted(speech):
    cuts = list(CutSet.from_file(speech / "labelled.jsonl.gz"))
    copy, one = fastcopy(cuts[0], id=f"{cuts[0].id}_sp0.9", custom={COPY_OF: cuts[0].id}), speech_data(speech)
    one.labels.index[copy.id] = one.labels.index[cuts[0].id]
    CutSet.from_cuts([*cuts, copy]).to_file(speech / "copied.jsonl.gz")
    some = ManifestSpeech([speech / "copied.jsonl.gz"], one.normaliser, one.labels)
    assert len(some.cuts) == len(cuts) + 1
    assert some.original_seconds == pytest.approx(one.original_seconds)


def test_speech_heard_in_two_ways_has_one_target_and_counts_once(speech):
    again = [fastcopy(cut) for cut in CutSet.from_file(speech / "labelled.jsonl.gz")]
    with LilcomChunkyWriter(speech / "noisy.lca") as store:
        for cut in again:
            noisy = cut.load_features() + np.float32(1)
            cut.features.storage_path, cut.features.storage_key = str(store.storage_path), store.write(cut.id, noisy)
    CutSet.from_cuts(again).to_file(speech / "noisy.jsonl.gz")
    one, manifests = speech_data(speech), [speech / "labelled.jsonl.gz", speech / "noisy.jsonl.gz"]
    both = ManifestSpeech(manifests, one.normaliser, one.labels)
    assert len(both.cuts) == 48 and both.original_seconds == pytest.approx(one.original_seconds)
    for _ in range(2):  # read, then from memory
        clean, noisy = (both.batch([Span(n, 0, 9)], None, [0]) for n in (3, 27))
        assert clean.ids == noisy.ids and torch.equal(clean.labels, noisy.labels)
        assert (noisy.features - clean.features).mean() == pytest.approx(1, abs=0.05)


def test_labelled_speech_is_learnt_from_by_its_labels_and_by_what_targets_it_has(speech, caplog):
    index = speech / "labels/labelled/index.json"
    known = json.loads(index.read_text())
    known["cuts"].pop("labelled3")  # it has targets and no alignment
    write_json(index, known)
    data = ManifestSpeech.labelled(speech / "labelled.jsonl.gz", speech / "labels", some_targets(speech, "labelled", 5))
    assert len(data.cuts) == 23 and "1 of 24 cuts have no labels and are left out" in caplog.text
    assert data.any_soft_targets() and sum(len(rows) for rows in data.labels_of_all())
    batch = data.batch([Span(0, 0, 4), Span(9, 2, 5)], None, [0])  # with targets, and without
    assert batch.has_soft_targets.tolist() == [True] * 4 + [False] * 3
    assert len(batch.labels) == 7 and batch.senones.shape == batch.log_posteriors.shape == (4, 3)
    assert data.batch([Span(0, 0, 4)], None, [0]).has_soft_targets is None
    alone = data.batch([Span(9, 0, 4)], None, [0])
    assert alone.has_soft_targets is None and alone.senones is None


def some_targets(folder: Path, name: str, count: int) -> TargetReader:
    """Of the first cuts of a set."""
    writer = TargetWriter(folder / "some" / name, {"senones": SENONES, "teacher": "t", "k": 3, "supervision": "soft"})
    cuts = list(CutSet.from_file(folder / f"{name}.jsonl.gz"))[:count]
    writer.write(0, {cut.id: top_k(torch.randn(stacked_length(cut.num_frames), SENONES), 3) for cut in cuts})
    writer.close(1)
    return TargetReader([writer.folder])


@pytest.fixture(scope="module")
def step() -> ModuleType:
    """steps/train.py."""
    return load_step("train")


def load_step(name: str) -> ModuleType:
    """A script of steps/, to be called in this process."""
    spec = importlib.util.spec_from_file_location(f"steps_{name}", ROOT / f"steps/{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refused(step: ModuleType, folder: Path, told: str, **options: Any) -> None:
    """A training that must not begin."""
    paths = {"labelled": folder / "labelled.jsonl.gz", "dev": folder / "dev.jsonl.gz", "labels": folder / "labels"}
    with pytest.raises(UserError, match=told):
        wanted = TrainingOptions(**{**paths, "out": folder / "x", "model": ModelOptions(1, 24), **options})
        step.run(wanted, Step(folder / "x", "train.py", {}))


def test_soft_targets_that_labelled_speech_has_not_are_not_ignored(step, speech):
    share = {"train": TrainOptions(soft_weight=0.3)}
    refused(step, speech, r"--train.soft_weight 0\.3: none of .*labelled\.jsonl\.gz has soft targets", **share)
    some_targets(speech, "unlabelled", 24)
    unlabelled = {"unlabelled": [speech / "unlabelled.jsonl.gz"], "targets": [speech / "some/unlabelled"]}
    refused(step, speech, "has soft targets", **share, **unlabelled)


def speech_data(folder: Path) -> ManifestSpeech:
    normaliser = Normaliser.load(folder / "normaliser.json")
    return ManifestSpeech([folder / "labelled.jsonl.gz"], normaliser, AlignmentReader(folder / "labels/labelled"))


def test_killed_training_and_targets_end_as_if_unbroken(speech):
    run(train_command(speech, "teacher", "--epochs", "4", "--model.bidirectional", "true", "--model.delay", "0"))
    targets = [sys.executable, ROOT / "steps/make_targets.py", "--model", speech / "teacher", "--k", "3"]
    targets += ["--feats", f"[{speech / 'unlabelled.jsonl.gz'}]", "--shard-size", "2", "--threads", "1", "--out"]
    run([*targets, speech / "targets"])
    kill_when([*targets, speech / "targets2"], lambda: (speech / "targets2/unlabelled/00002.targets").exists())
    run([*targets, speech / "targets2"])
    for shard in sorted((speech / "targets/unlabelled").glob("*targets*")):  # not what they cost
        assert shard.read_bytes() == (speech / "targets2/unlabelled" / shard.name).read_bytes()
    _damaged_shards_are_made_again(targets, speech)

    distil = ["--unlabelled", f"[{speech / 'unlabelled.jsonl.gz'}]", "--targets", f"[{speech / 'targets/unlabelled'}]"]
    distil += ["--epochs", "3", "--sub-epochs", "2", "--model.delay", "1", "--train.chunk", "10"]
    run(train_command(speech, "unbroken", *distil))
    state = speech / "killed/checkpoint.json"
    kill_when(
        train_command(speech, "killed", *distil), lambda: state.exists() and json.loads(state.read_text())["update"] > 9
    )
    assert not (speech / "killed/model.json").exists()
    run(train_command(speech, "killed", *distil))
    assert "resumed at update" in (speech / "killed/log.txt").read_text()
    whole, resumed = (load_file(speech / name / "model.safetensors") for name in ("unbroken", "killed"))
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    history = json.loads((speech / "unbroken/model.json").read_text())["meta"]["history"]
    assert history[-1]["dev"] < 0.8 * np.log(SENONES)


def _damaged_shards_are_made_again(targets: list, speech: Path) -> None:
    folder = speech / "targets2/unlabelled"
    whole = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.glob("0*.targets"))}
    flipped, cut, gone, *_ = whole
    data = bytearray(flipped.read_bytes())
    data[40] ^= 4
    flipped.write_bytes(bytes(data))
    cut.write_bytes(cut.read_bytes()[:-30])
    gone.unlink()
    check = [sys.executable, ROOT / "steps/check_targets.py", folder]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "3 shards are damaged or missing" in done.stderr
    assert all(f"damaged: {path}" in done.stdout for path in (flipped, cut, gone))
    run([*check, "--remove", "true"])
    run([*targets, speech / "targets2"])
    for path, (bytes_, made) in whole.items():
        assert path.read_bytes() == bytes_
        assert (path.stat().st_mtime_ns == made) == (path not in (flipped, cut, gone))  # the others were left alone
    run(check)


def test_dev_is_looked_at_as_often_as_asked_and_at_the_end(speech):
    for keep in ("best", "last"):
        command = train_command(speech, keep, "--epochs", "5", "--train.validate_every", "2", "--train.keep", keep)
        # Unsteady, so that the last look need not be the best.
        run([*command, "--train.learning_rate", "0.2", "--train.ema_decay", "0"])
    history = json.loads((speech / "last/model.json").read_text())["meta"]["history"]
    assert [look["pass"] for look in history] == [2, 4, 5]
    losses_ = [look["dev"] for look in history]
    best, last = (load_file(speech / keep / "model.safetensors")["output.weight"] for keep in ("best", "last"))
    assert torch.equal(best, last) == (losses_[-1] == min(losses_))
    # On targets alone there is no labelled pass to look after.
    some_targets(speech, "unlabelled", 24)
    soft = ["--unlabelled", f"[{speech / 'unlabelled.jsonl.gz'}]", "--targets", f"[{speech / 'some/unlabelled'}]"]
    soft += ["--labelled-passes", "0", "--epochs", "3", "--sub-epochs", "3", "--train.validate_every", "3"]
    run(train_command(speech, "soft", *soft))
    history = json.loads((speech / "soft/model.json").read_text())["meta"]["history"]
    assert [(look["pass"], look["kind"]) for look in history] == [(3, "soft"), (6, "soft"), (9, "soft")]


def test_a_training_that_comes_to_nothing_says_so_and_keeps_what_was(speech):
    command = train_command(speech, "x", "--epochs", "3", "--train.learning_rate", "1e30")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Try a smaller --train.learning_rate (it is 1e+30)" in done.stderr
    assert not (speech / "x/.done.json").exists() and not (speech / "x/model.json").exists()
    state = json.loads((speech / "x/checkpoint.json").read_text())
    assert f"error: update {state['update']}: the loss is nan" in done.stderr
    kept = load_file(speech / "x" / state["tensors"])
    assert all(weight.isfinite().all() for weight in kept.values())


def test_a_student_starts_from_another(speech):
    run(train_command(speech, "first", "--epochs", "1"))
    run(train_command(speech, "second", "--epochs", "1", "--init", speech / "first"))
    first, second = (json.loads((speech / name / "model.json").read_text())["meta"] for name in ("first", "second"))
    assert second["updates"] == 2 * first["updates"] and second["init"] == "first"
    start = second["history"][0]
    assert (start["pass"], start["kind"]) == (0, "start") and start["dev"] == first["history"][-1]["dev"]


@pytest.mark.parametrize("name", ["sub_epochs", "pool"])
def test_numbers_that_are_at_least_1_are_refused_below_it_before_any_work(tmp_path, name):
    command = [sys.executable, ROOT / "steps/train.py", f"--{name}", 0, "--out", tmp_path / "out"]
    command += ["--labelled", tmp_path / "a", "--dev", tmp_path / "b", "--labels", tmp_path / "c"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and name in done.stderr and "Not of type PositiveInt: 0" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"epochs": 0}, "there is nothing to do: --epochs is at least 1"),
        ({"epochs": -1}, "are at least 0"),
        ({"threads": 0}, "--threads 0, --seed 1: threads are at least 1"),
        ({"dev": Path("wrong.jsonl.gz")}, r"wrong\.jsonl\.gz: not a manifest of cuts"),
        ({"unlabelled": [Path("bare.jsonl.gz")], "true_labels": Path("labels")}, "cut bare has no features"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(step, speech, monkeypatch, options, told):
    monkeypatch.chdir(speech)
    for name in ("wrong", "bare"):
        write_json(speech / "labels" / name / "index.json", {"columns": ["senone"], "cuts": {}})
    (speech / "wrong.jsonl.gz").write_text("no gzip")
    CutSet.from_cuts([MonoCut("bare", 0, 1, 0)]).to_file(speech / "bare.jsonl.gz")
    refused(step, Path(), told, **options)


@pytest.mark.parametrize(
    "wrong", [{"accumulate": 0}, {"chunk": -1}, {"clip": 0.0}, {"soft_weight": 1.5}, {"ema_decay": math.nan}]
)
def test_an_option_of_training_that_makes_no_sense_is_named(wrong):
    with pytest.raises(UserError, match=f"--train.{next(iter(wrong))} .*: it is "):
        TrainOptions(**wrong)


@pytest.mark.parametrize(
    ("shape", "senones", "tree", "told"),
    [
        ({"cells": 12}, SENONES, None, r"\(cells: 12 -> 24\)"),
        ({"bidirectional": True}, SENONES, None, r"\(bidirectional: True -> False\)"),
        ({"delay": 2}, SENONES, None, r"\(delay: 2 -> 0\)"),
        ({}, SENONES + 1, None, rf"\(senones: {SENONES + 1} -> {SENONES}\)"),
        ({}, SENONES, "another", r"\(tree: another -> \w+\)"),
    ],
)
def test_a_model_starts_from_no_other_kind(step, speech, shape, senones, tree, told):
    first = LstmModel(ModelOptions(**{"layers": 1, "cells": 24, **shape}), 192, senones)
    first.meta = {"updates": 1, **({"tree": tree} if tree else {})}
    models.save(first, speech / "first")
    refused(step, speech, told, init=speech / "first")


def test_layers_are_taken_over_from_another_corpus(step, speech):
    first = LstmModel(ModelOptions(1, 24), 192, SENONES + 5)
    first.log_priors.fill_(-1.0)
    first.meta = {"tree": "another", "labelled_hours": 4.0, "transferred_hours": 0.5}
    models.save(first, speech / "first")
    paths = {"labelled": speech / "labelled.jsonl.gz", "dev": speech / "dev.jsonl.gz", "labels": speech / "labels"}
    options = TrainingOptions(**paths, out=speech / "x", transfer=speech / "first")
    model = LstmModel(ModelOptions(1, 24), 192, SENONES)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert setup._transfer(options, model, LOGMELS) == 4.5
    after, theirs = model.state_dict(), first.state_dict()
    own = {name for name in after if torch.equal(after[name], before[name])}
    assert {"output.weight", "output.bias", "log_priors"} <= own
    assert all(torch.equal(after[name], theirs[name]) for name in after if name.startswith(("layers", "norms")))
    assert not any("weight_ih" in name for name in own)
    told = r"not the layers of such a model as is to be trained \(cells: 24 -> 12\)"
    refused(step, speech, told, transfer=speech / "first", model=ModelOptions(1, 12))
    refused(step, speech, "a model starts from one other", transfer=speech / "first", init=speech / "first")


def test_a_sequence_criterion_is_learnt_on_labels_of_the_models_tree(speech):
    sequence, first = load_step("train_sequence"), LstmModel(ModelOptions(1, 24), 192, SENONES)
    first.meta = {"tree": "another"}
    models.save(first, speech / "first")
    paths = {"labelled": speech / "labelled.jsonl.gz", "dev": speech / "dev.jsonl.gz", "labels": speech / "labels"}
    options = SequenceTrainingOptions(speech / "first", **paths, lang=speech / "lang", out=speech / "x")
    with pytest.raises(UserError, match=r"senones of the tree another, \S*labels has \w+"):
        sequence.run(options, Step(speech / "x", "train_sequence.py", {}))


def test_a_model_aligns_with_senones_of_its_tree(speech):
    realign, first = load_step("realign"), LstmModel(ModelOptions(1, 24), 192, SENONES)
    first.meta = {"tree": "another"}
    models.save(first, speech / "first")
    feats = [speech / "labelled.jsonl.gz"]
    options = realign.Options(speech / "first", speech / "labels", feats, lang=speech / "lang", out=speech / "x")
    with pytest.raises(UserError, match=r"senones of the tree another, \S*labels has \w+"):
        realign.run(options, Step(speech / "x", "realign.py", {}))


def test_targets_of_another_length_are_told_before_training(speech, tmp_path):
    cut = next(iter(CutSet.from_file(speech / "unlabelled.jsonl.gz")))
    frames = stacked_length(cut.num_frames)
    writer = TargetWriter(tmp_path, {"senones": SENONES, "teacher": "t", "k": 3, "supervision": "soft"})
    writer.write(0, {cut.id: top_k(torch.randn(frames + 1, SENONES), 3)})
    writer.close(1)
    normaliser = Normaliser.load(speech / "normaliser.json")
    with pytest.raises(UserError, match=f"{cut.id}.*{frames + 1}.*{frames}|{cut.id}.*{frames}.*{frames + 1}"):
        ManifestSpeech([speech / "unlabelled.jsonl.gz"], normaliser, None, TargetReader([tmp_path]))


def test_targets_of_another_tree_are_refused(speech):
    writer = TargetWriter(speech / "other", {"senones": SENONES + 1, "teacher": "t", "k": 3})
    writer.close(0)
    write_json(speech / "other/targets.json", {"shards": 0, "senones": SENONES + 1, "teacher": "t", "k": 3})
    command = train_command(
        speech, "x", "--unlabelled", f"[{speech / 'unlabelled.jsonl.gz'}]", "--targets", f"[{speech / 'other'}]"
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"targets over {SENONES + 1} senones" in done.stderr
