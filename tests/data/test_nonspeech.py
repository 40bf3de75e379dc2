"""Sounds among the speech of a training: as silence, in every batch, counted nowhere else; killed, and by ranks."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from lhotse import CutSet, Features, LilcomChunkyWriter, MonoCut
from safetensors.torch import load_file
from tests.train.test_ranks import devs
from tests.train.test_ranks import train as train_ranks
from tests.train.toy_speech import ROOT, SENONES, kill_when, run, train_command

from understudy import models
from understudy.data.manifests import ManifestSpeech
from understudy.data.nonspeech import SHORTEST, WHOLE, Senones, Sounds, WithNonspeech
from understudy.data.shar import SharSpeech
from understudy.data.spec_augment import SpecAugment
from understudy.data.speech import Speech
from understudy.device.topology import ENTRY, LOOP
from understudy.features import Normaliser, load_logmel, stack
from understudy.lang.lexicon import SILENCE_ID, Lexicon
from understudy.lang.tree import Tree
from understudy.step import UserError
from understudy.targets import TargetReader
from understudy.train.criteria import Hard, Soft
from understudy.train.loop import log_priors

SHARE = 0.25


@pytest.fixture
def sounds(speech) -> Path:
    """Features of twelve sounds, beside the speech and unlike it; its tree knows silence."""
    nodes = {f"{phone} {pdf_class}": 2 * (phone - 1) + pdf_class for phone in (1, 2, 3) for pdf_class in (0, 1)}
    Tree(3, SENONES, nodes).save(speech / "labels/tree.json")
    rng, cuts = np.random.default_rng(5), []
    with LilcomChunkyWriter(speech / "nonspeech.lca") as store:
        for i in range(12):
            frames = (4 + rng.normal(0, 1, (200 + 40 * i, 64))).astype(np.float32)
            cut = MonoCut(f"n{i}", 0, len(frames) / 100, 0)
            cut.features = Features(
                "x", len(frames), 64, 0.01, 16000, 0, cut.duration, store.name, str(store.storage_path),
                store.write(cut.id, frames), cut.id, 0,
            )  # fmt: skip
            cuts.append(cut)
    CutSet.from_cuts(cuts).to_file(speech / "nonspeech.jsonl.gz")
    return speech / "nonspeech.jsonl.gz"


def among(speech: Speech, sounds: Path, k: int | None = None) -> WithNonspeech:
    return WithNonspeech(speech, Sounds(sounds), Senones(0, 1), SHARE, k)


def is_sound(span) -> bool:
    return span.number >= 1 << 40


def frames_of(spans) -> int:
    return sum(span.stop - span.start for span in spans)


def targets(speech: Path, k: int = 3) -> list:
    """Of a teacher, for the unlabelled set; options to learn from them."""
    teacher = ["--epochs", "1", "--model.bidirectional", "true", "--model.delay", "0"]
    run(train_command(speech, "teacher", *teacher))
    made = [sys.executable, ROOT / "steps/make_targets.py", "--model", speech / "teacher", "--k", str(k)]
    made += ["--feats", f"[{speech / 'unlabelled.jsonl.gz'}]", "--threads", "1", "--shard-size", "6", "--out"]
    run([*made, speech / "targets"])
    return ["--unlabelled", f"[{speech / 'unlabelled.jsonl.gz'}]", "--targets", f"[{speech / 'targets/unlabelled'}]"]


def test_silence_is_the_same_phone_everywhere():
    assert Lexicon.from_entries([("A", ("AA",)), ("B", ("B", "IY"))]).silence == SILENCE_ID
    tree = Tree(2, 4, {"1 0": 2, "1 1": 3, "2 0": 0, "2 1": 1})
    assert Senones.of(tree) == (tree.senone(0, 1, 2, ENTRY), tree.senone(2, 1, 2, LOOP)) == (2, 3)
    assert Senones.of(tree).labels(4).tolist() == [2, 3, 3, 3] and Senones.of(tree).labels(1).tolist() == [2]


@pytest.mark.parametrize(("chunk", "seed"), [(0, None), (0, 7), (12, 7), (40, 7)])
def test_batches_are_those_of_the_speech_and_a_share_of_sounds(speech, sounds, chunk, seed):
    alone = ManifestSpeech.labelled(speech / "labelled.jsonl.gz", speech / "labels")
    mixed = among(alone, sounds)
    batches, before = list(mixed.order(200, seed, chunk=chunk)), list(alone.order(200, seed, chunk=chunk))
    assert [[s for s in spans if not is_sound(s)] for spans in batches] == before  # as many updates, of the same speech
    spoken, silent, owed = 0, 0, []
    for spans in batches:
        pieces = [s for s in spans if is_sound(s)]
        words = [s for s in spans if not is_sound(s)]
        longest = max(s.stop - s.start for s in words)
        assert all(SHORTEST <= s.stop <= max(SHORTEST, min(longest, chunk or WHOLE)) and s.start == 0 for s in pieces)
        spoken += frames_of(words)
        silent += frames_of(pieces)
        owed.append(spoken * SHARE / (1 - SHARE) - silent)
    assert all(0 <= one < SHORTEST for one in owed)  # of every batch, up to a piece
    assert list(mixed.order(200, seed, chunk=chunk)) == batches  # nothing is remembered
    assert [*islice(mixed.order(200, seed, chunk=chunk), 2, None)] == batches[2:]
    if seed:
        other = [s for spans in mixed.order(200, seed + 1, chunk=chunk) for s in spans if is_sound(s)]
        assert other != [s for spans in batches for s in spans if is_sound(s)]


def test_a_piece_is_an_utterance_of_silence_from_where_it_begins(speech, sounds):
    mixed = among(ManifestSpeech.labelled(speech / "labelled.jsonl.gz", speech / "labels"), sounds)
    cuts = {cut.id: cut for cut in CutSet.from_file(sounds)}
    mixed.normaliser = Normaliser(np.full(64, 1.5, np.float32), np.full(64, 2.0, np.float32))
    begun = set()
    for spans in mixed.order(300, 3):
        batch, row = mixed.batch(spans, None, [0]), 0
        for place, span in enumerate(spans):
            frames = span.stop - span.start
            labels = batch.labels[row : row + frames].tolist()
            if is_sound(span):
                assert labels == [0] + [1] * (frames - 1) and batch.ids[place] in cuts
                whole = stack(mixed.normaliser(load_logmel(cuts[batch.ids[place]])))
                heard = batch.features[place, :frames].numpy()
                starts = [
                    i for i in range(len(whole) - frames + 1) if np.allclose(whole[i : i + frames], heard, atol=0.01)
                ]
                assert len(starts) == 1
                begun.add((batch.ids[place], starts[0]))
            row += frames
        assert row == len(batch.labels) == int(batch.lengths.sum())
    assert len({sound for sound, _ in begun}) > 5 and len({start for _, start in begun}) > 5
    loud = mixed.batch(spans, SpecAugment(), [1])
    assert torch.isfinite(loud.features).all() and not torch.equal(loud.features, batch.features)


@pytest.mark.parametrize(("residual", "temperature"), [(False, 1.0), (True, 1.0), (False, 2.0), (True, 2.0)])
def test_soft_passes_are_sure_of_silence(speech, sounds, residual, temperature):
    targets(speech)
    reader = TargetReader([speech / "targets/unlabelled"])
    alone = ManifestSpeech([speech / "unlabelled.jsonl.gz"], Normaliser.load(speech / "normaliser.json"), None, reader)
    mixed, soft = among(alone, sounds, 3), Soft(temperature, residual)
    spans = max(mixed.order(300, 3), key=lambda spans: sum(map(is_sound, spans)))
    words, pieces = ([s for s in spans if is_sound(s) == sound] for sound in (False, True))
    batch = mixed.batch([*words, *pieces], None, [0])
    assert batch.has_soft_targets is None and batch.labels is None and batch.senones.shape == (frames_of(spans), 3)
    torch.manual_seed(0)
    logits = torch.randn(*batch.features.shape[:2], SENONES, dtype=torch.double, requires_grad=True)
    spoken = soft(logits[: len(words)], alone.batch(words, None, [0]))
    silent = mixed.batch(pieces, None, [0])
    # Of one sure senone the cross-entropy is minus its log-probability, whatever k; a share of sounds alone has it too.
    labels = torch.cat([torch.from_numpy(Senones(0, 1).labels(s.stop)) for s in pieces])
    sure = torch.nn.functional.cross_entropy(silent.rows(logits[len(words) :]) / temperature, labels) * temperature**2
    assert float(soft(logits[len(words) :], silent)) == pytest.approx(float(sure), rel=1e-5)
    whole = (frames_of(words) * spoken + frames_of(pieces) * sure) / frames_of(spans)
    assert float(soft(logits, batch)) == pytest.approx(float(whole), rel=1e-5)


def test_labels_count_where_the_speech_has_soft_targets_too(speech, sounds):
    targets(speech)
    reader = TargetReader([speech / "targets/unlabelled"])
    # The speech is labelled and taught; the sounds are labelled alone.
    taught = ManifestSpeech.labelled(speech / "unlabelled.jsonl.gz", speech / "labels", reader)
    mixed = among(taught, sounds)
    spans = max(mixed.order(300, 3), key=lambda spans: sum(map(is_sound, spans)))
    batch = mixed.batch(spans, None, [0])
    words = [s for s in spans if not is_sound(s)]
    assert mixed.any_soft_targets() and int(batch.has_soft_targets.sum()) == frames_of(words) == len(batch.senones)
    logits = torch.randn(*batch.features.shape[:2], SENONES)
    assert torch.isfinite(Hard(0.5, Soft())(logits, batch))
    pieces = mixed.batch([s for s in spans if is_sound(s)], None, [0])
    assert pieces.senones is None and torch.isfinite(Hard(0.5, Soft())(logits[len(words) :], pieces))


def test_nothing_else_counts_the_sounds(speech, sounds):
    alone = ManifestSpeech.labelled(speech / "labelled.jsonl.gz", speech / "labels")
    mixed = among(alone, sounds)
    assert mixed.original_seconds == alone.original_seconds and not mixed.any_soft_targets()
    assert torch.equal(log_priors(mixed, SENONES), log_priors(alone, SENONES))


def test_a_stream_has_them_too(speech, sounds):
    options = targets(speech)
    for name, more in (("labelled", ["--labels", speech / "labels"]), ("unlabelled", options[2:])):
        more = ["--targets", speech / "targets/unlabelled"] if name == "unlabelled" else more
        shar = [sys.executable, ROOT / "steps/make_shar.py", "--feats", speech / f"{name}.jsonl.gz", *more]
        run([*shar, "--shard-size", "6", "--out", speech / "shar" / name])
    stream = SharSpeech(speech / "shar/unlabelled", pool=2)
    mixed = among(stream, sounds, stream.described["k"])
    batches = list(mixed.order(100, 3, chunk=12))
    assert [[s for s in spans if not is_sound(s)] for spans in batches] == list(stream.order(100, 3, chunk=12))
    batch = mixed.batch(max(batches, key=len), None, [0])
    assert len(batch.senones) == int(batch.lengths.sum()) and batch.has_soft_targets is None
    command = train_command(
        speech, "streamed", "--unlabelled", f"[{speech / 'shar/unlabelled'}]", "--nonspeech", sounds, "--epochs", "1"
    )
    command[command.index(speech / "labelled.jsonl.gz")] = speech / "shar/labelled"
    run(command)


def test_a_killed_training_with_sounds_ends_as_if_unbroken(speech, sounds):
    options = [*targets(speech), "--epochs", "3", "--sub-epochs", "2", "--train.chunk", "10", "--train.accumulate", "2"]
    run(train_command(speech, "without", *options))
    options += ["--nonspeech", sounds, "--nonspeech-share", str(SHARE)]
    run(train_command(speech, "unbroken", *options))
    state = speech / "killed/checkpoint.json"

    def begun() -> bool:
        return state.exists() and json.loads(state.read_text())["update"] > 4

    kill_when(train_command(speech, "killed", *options), begun)
    assert not (speech / "killed/model.json").exists()
    run(train_command(speech, "killed", *options))
    assert "resumed at update" in (speech / "killed/log.txt").read_text()
    whole, resumed, other = (load_file(speech / n / "model.safetensors") for n in ("unbroken", "killed", "without"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert torch.equal(whole["log_priors"], other["log_priors"])
    assert not torch.equal(whole["output.weight"], other["output.weight"])
    metas = [json.loads((speech / name / "model.json").read_text())["meta"] for name in ("unbroken", "without")]
    assert metas[0]["nonspeech_share"] == SHARE and "nonspeech_share" not in metas[1]
    for name in ("updates", "labelled_hours", "unlabelled_hours"):
        assert metas[0][name] == metas[1][name]


def test_what_is_learnt_is_silence(speech, sounds):
    run(train_command(speech, "model", "--epochs", "12", "--nonspeech", sounds, "--nonspeech-share", str(SHARE)))
    run(train_command(speech, "without", "--epochs", "12"))
    silent = {}
    for name in ("model", "without"):
        model, normaliser = models.load(speech / name), Normaliser.load(speech / "normaliser.json")
        heard = [torch.from_numpy(stack(normaliser(load_logmel(cut)))) for cut in CutSet.from_file(sounds)]
        best = torch.cat([one.argmax(1)[1:] for one in model.logits(heard)])
        silent[name] = float((best == 1).float().mean())
    assert silent["model"] > 0.9 > silent["without"]


def test_ranks_learn_what_one_process_learns(speech, sounds):
    options = ["--epochs", "3", "--nonspeech", str(sounds)]
    found = []
    for name, ranks, threads in (("alone", 0, "1"), ("threads", 0, "3"), ("ranks", 2, "1")):
        run([*train_ranks(speech, name, ranks, *options), "--threads", threads])
        found.append(devs(speech / name))
    assert found[1] == pytest.approx(found[0], rel=1e-5) and found[2] == pytest.approx(found[0], rel=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--nonspeech-share", "0"], "--nonspeech-share 0: it is above 0 and below 1"),
        (["--nonspeech-share", "1"], "--nonspeech-share 1: it is above 0 and below 1"),
        (["--nonspeech", "nothing.jsonl.gz"], "nothing.jsonl.gz: no such file"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(speech, options, told):
    done = subprocess.run(train_command(speech, "x", *options), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr


def test_sounds_without_features_or_too_short_are_named(speech, sounds):
    cuts = [MonoCut(f"n{i}", 0, 1.0, 0) for i in range(2)]
    CutSet.from_cuts(cuts).to_file(speech / "bare.jsonl.gz")
    with pytest.raises(UserError, match="cut n0 has no features"):
        Sounds(speech / "bare.jsonl.gz")
    short = [cut.truncate(duration=0.3) for cut in CutSet.from_file(sounds)]
    CutSet.from_cuts(short).to_file(speech / "short.jsonl.gz")
    with pytest.raises(UserError, match=r"no cut lasts 0\.6 s"):
        Sounds(speech / "short.jsonl.gz")
