"""Speech as a stream: what Lhotse reads, what a pass holds, how much is open, and trainings that were killed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lhotse import CutSet
from safetensors.torch import load_file
from tests.train.toy_speech import ROOT, SENONES, kill_when, make_speech, run, train_command

from understudy.align.archive import AlignmentReader
from understudy.data.batches import Span
from understudy.data.manifests import ManifestSpeech
from understudy.data.shar import SharSpeech
from understudy.data.spec_augment import SpecAugment
from understudy.features import Normaliser, load_logmel, stacked_length
from understudy.parallel.workers import Workers
from understudy.shar import damaged, write_shar
from understudy.step import UserError
from understudy.targets import TargetReader
from understudy.targets.codec import join
from understudy.targets.shard import Shard, write_shard


def shar_command(folder: Path, name: str, *more: object) -> list:
    command = [sys.executable, ROOT / "steps/make_shar.py", "--feats", folder / f"{name}.jsonl.gz", "--jobs", "1"]
    return [*command, "--out", folder / "shar" / name, *more]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Labelled speech and what a teacher says of the unlabelled, as streams."""
    speech = make_speech(tmp_path_factory.mktemp("streams"))
    run(train_command(speech, "teacher", "--epochs", "4", "--model.bidirectional", "true", "--model.delay", "0"))
    targets = [sys.executable, ROOT / "steps/make_targets.py", "--model", speech / "teacher", "--k", "3"]
    targets += ["--feats", f"[{speech / 'unlabelled.jsonl.gz'}]", "--shard-size", "3", "--jobs", "1"]
    run([*targets, "--out", speech / "targets"])
    run(shar_command(speech, "labelled", "--labels", speech / "labels", "--shard-size", "5"))
    run(shar_command(speech, "unlabelled", "--targets", speech / "targets/unlabelled"))
    return speech


@pytest.fixture
def streams(made, tmp_path) -> Path:
    """A copy, to be damaged."""
    return shutil.copytree(made, tmp_path / "streams")


def contents(folder: Path) -> dict[str, bytes]:
    """What a step left, but for its log and mark."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("log.txt", ".done.json"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def check_command(step: str, folder: Path, *more: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "steps" / step, folder, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_lhotse_reads_what_was_written(streams):
    original = {cut.id: cut for cut in CutSet.from_file(streams / "labelled.jsonl.gz")}
    found = list(CutSet.from_shar(in_dir=streams / "shar/labelled/shar"))
    assert [cut.id for cut in found] == list(original)
    labels = AlignmentReader(streams / "labels/labelled")
    for cut in found:
        # Compressed twice with the same steps of rounding.
        assert np.abs(cut.load_features() - load_logmel(original[cut.id])).max() < 0.05
        assert np.array_equal(cut.load_senones(), labels.read(cut.id, stacked_length(cut.num_frames))[:, 0])
    about = json.loads((streams / "shar/unlabelled/shar.json").read_text())
    assert about["cuts"] == [3] * 8 and about["targets"]["teacher"] == "teacher"
    run([sys.executable, ROOT / "steps/check_targets.py", streams / "shar/unlabelled/targets"])


def test_a_pass_hears_every_frame_once_with_its_own_targets(streams):
    data, kept = SharSpeech(streams / "shar/unlabelled", pool=2), {}
    for part in range(2):
        for batch in data.order(60, 5, part, 2, chunk=8):
            for number, start, stop in batch:
                kept.setdefault(number, []).append((start, stop))
            heard = data.batch(batch, None, [0])
            assert len(heard.senones) == sum(span.stop - span.start for span in batch)
            # x = −log p is kept within √x / 8 + 1 / 256: three of p = 1 / 3, the worst, make e^0.14.
            assert heard.log_posteriors.exp().sum(1).max() < 1.15
            assert data._shard.cache_info().currsize <= 2
    lengths = [stacked_length(cut.num_frames) for cut in CutSet.from_file(streams / "unlabelled.jsonl.gz")]
    assert sorted(kept) == list(range(24))
    for number, spans in kept.items():
        spans.sort()
        assert [a for a, _ in spans] == [0, *(b for _, b in spans[:-1])] and spans[-1][1] == lengths[number]
    # As from the manifest, but for what a second compression rounds.
    normaliser = Normaliser.load(streams / "normaliser.json")
    plain = ManifestSpeech(
        [streams / "unlabelled.jsonl.gz"], normaliser, None, TargetReader([streams / "targets/unlabelled"])
    )
    for span in (Span(3, 2, 7), Span(3, 0, lengths[3]), Span(20, 1, lengths[20])):
        for seed in range(3):  # of where stacking starts
            ours, theirs = (one.batch([span], SpecAugment(0, 0, 0, 0), [seed]) for one in (data, plain))
            assert ours.ids == theirs.ids and (ours.features - theirs.features).abs().max() < 0.05
            assert torch.equal(ours.senones, theirs.senones)
            assert torch.equal(ours.log_posteriors, theirs.log_posteriors)
    orders = [list(data.order(60, seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    # Cuts of other shards meet, but of no more than a pool.
    together = [{span.number // 3 for span in batch} for batch in orders[0]]
    assert {len(shards) for shards in together} == {1, 2}


def test_too_few_shards_a_bad_k_and_a_damaged_shard_are_told(streams):
    folder = streams / "shar/labelled"
    data = SharSpeech(folder)
    with pytest.raises(UserError, match=r"5 shards cannot be cut into 6 parts.*--shard-size"):
        [list(data.order(60, 1, part, 6)) for part in range(6)]
    with pytest.raises(UserError, match="3 senones a frame were kept, 4 cannot"):
        SharSpeech(streams / "shar/unlabelled", k=4)
    tar = folder / "shar/features.000001.tar"
    tar.write_bytes(tar.read_bytes()[:1500])
    with pytest.raises(UserError, match=r"cuts\.000001\.jsonl\.gz: the shard cannot be read"):
        [data.batch(batch, None, [0]) for batch in data.order(60, 1)]


def test_targets_of_another_order_are_refused(streams):
    lines = list(CutSet.from_file(streams / "unlabelled.jsonl.gz"))
    CutSet.from_cuts(lines[::-1]).to_file(streams / "unlabelled.jsonl.gz")
    command = shar_command(streams, "unlabelled", "--targets", streams / "targets/unlabelled")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "or not in this order" in done.stderr


def write_other(path: Path, describe: dict, longer: bool = False) -> None:
    """The same cuts' targets by something else, or of a frame more."""
    shard = Shard(path)
    cuts = {}
    for name, place in shard.places.items():
        block = shard.block(place.block).frames(place.begin, place.begin + place.frames)
        cuts[name] = join([block, block.frames(0, 1)]) if longer else block
    write_shard(path, cuts.items(), describe)


@pytest.mark.parametrize("other", [{"teacher": "else"}, {"tree": "else"}, None])
def test_another_teacher_tree_or_length_is_refused(streams, other):
    given = {k: json.loads((streams / "shar/unlabelled/shar.json").read_text())["targets"][k] for k in other or ()}
    said = rf"made by .*{other}.* others are by .*{given}" if other else r"cut \S+: (\d+) frames of soft targets in"
    for folder in (streams / "targets/unlabelled", streams / "shar/unlabelled/targets"):
        path = folder / "00002.targets"
        write_other(path, Shard(path).describe | (other or {}), other is None)
    with pytest.raises(UserError, match=said):
        SharSpeech(streams / "shar/unlabelled").utterance(7)
    with pytest.raises(UserError, match=said):
        write_shar(streams / "unlabelled.jsonl.gz", streams / "x", Workers(1), None, streams / "targets/unlabelled")
    if other:
        done = check_command("check_targets.py", streams / "targets/unlabelled")
        assert done.returncode == 1 and re.search(said, done.stdout) and "1 shards damaged" in done.stdout


def test_every_damage_is_found_and_its_shard_alone_is_made_again(streams):
    folder, rng = streams / "x", np.random.default_rng(0)
    write = lambda: write_shar(  # noqa: E731
        streams / "unlabelled.jsonl.gz", folder, Workers(1), None, streams / "targets/unlabelled"
    )
    write()
    whole = contents(folder)
    assert not list(damaged(folder))
    shard = [path for path in sorted(folder.rglob("*0003.*")) if path.is_file()]
    assert [path.parent.name for path in shard] == ["shar", "shar", "sums", "targets"]
    for path in [*shard, folder / "lengths.npy", folder / "normaliser.json", folder / "targets/targets.json"]:
        bytes_ = path.read_bytes()
        for position in rng.integers(0, len(bytes_), 10):
            bit = 1 << int(rng.integers(8))
            path.write_bytes(bytes_[:position] + bytes([bytes_[position] ^ bit]) + bytes_[position + 1 :])
            assert list(damaged(folder)), (path, position, bit)
        path.write_bytes(bytes_)
    assert not list(damaged(folder))
    for bad in shard:
        times = {path: path.stat().st_mtime_ns for path in folder.rglob("*0*.*") if path not in shard}
        bad.write_bytes(bad.read_bytes()[:-7])
        bad, what = next(damaged(folder))
        assert "checksum" in what
        bad.unlink()
        write()
        assert contents(folder) == whole and not list(damaged(folder))
        assert times == {path: path.stat().st_mtime_ns for path in times}


def test_damaged_targets_are_not_copied(streams):
    bad = streams / "targets/unlabelled/00001.targets"
    data = bytearray(bad.read_bytes())
    data[40] ^= 4
    bad.write_bytes(bytes(data))
    with pytest.raises(UserError, match=f"{bad}: cannot be read"):
        write_shar(streams / "unlabelled.jsonl.gz", streams / "x", Workers(1), None, streams / "targets/unlabelled")


def test_cuts_without_targets_are_left_out_and_counted(streams):
    index = streams / "labels/dev/index.json"
    known = json.loads(index.read_text())
    known["cuts"].pop("dev2")
    index.write_text(json.dumps(known))
    done = subprocess.run(
        shar_command(streams, "dev", "--labels", streams / "labels"), capture_output=True, text=True, check=True
    )
    assert "1 cuts have no labels or targets and are left out" in done.stderr
    assert sum(json.loads((streams / "shar/dev/shar.json").read_text())["cuts"]) == 5


@pytest.mark.parametrize(("name", "source"), [("labelled", "labels"), ("unlabelled", "targets/unlabelled")])
def test_what_was_killed_while_writing_ends_as_if_unbroken(streams, name, source):
    folder = streams / "shar" / name
    whole = contents(folder)
    shutil.rmtree(folder)
    more = ["--shard-size", "5"] if name == "labelled" else []
    command = shar_command(streams, name, f"--{source.split('/')[0]}", streams / source, *more)
    kill_when(command, lambda: list(folder.glob("shar/cuts.000001.*")))
    assert not (folder / ".done.json").exists()
    (folder / ".partial-7-shard").mkdir()  # as one that was killed a moment earlier or later
    (folder / ".partial-7-shard/features.000002.tar").touch()
    run(command)
    assert contents(folder) == whole


def test_a_damaged_shard_of_targets_is_made_again_alone(streams):
    folder = streams / "shar/unlabelled"
    command = shar_command(streams, "unlabelled", "--targets", streams / "targets/unlabelled")
    shutil.rmtree(folder)
    run(command)
    whole, bad = contents(folder), folder / "targets/00003.targets"
    data = bytearray(bad.read_bytes())
    data[40] ^= 4
    bad.write_bytes(bytes(data))
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.0*")}
    done = check_command("check_targets.py", folder / "targets")
    assert done.returncode == 1 and f"damaged: {bad}" in done.stdout and "run steps/make_shar.py again" in done.stderr
    done = check_command("check_shar.py", folder)
    assert done.returncode == 1 and f"damaged: {bad}: its checksum is" in done.stdout
    assert "1 files are damaged or missing: --remove true, then run steps/make_shar.py again" in done.stderr
    done = check_command("check_targets.py", folder / "targets", "--remove", "true")
    assert done.returncode == 0 and "removed 1; run steps/make_shar.py again" in done.stdout and not bad.exists()
    run(command)
    assert contents(folder) == whole
    assert {".".join(path.name.split(".")[:2]) for path, time in times.items() if path.stat().st_mtime_ns != time} == {
        "cuts.000003", "features.000003"
    }  # fmt: skip
    for step, checked in (("check_targets.py", folder / "targets"), ("check_shar.py", folder)):
        assert check_command(step, checked).returncode == 0


def test_a_killed_training_from_streams_ends_as_if_unbroken(streams):
    command = train_command(streams, "unbroken", "--unlabelled", f"[{streams / 'shar/unlabelled'}]", "--pool", "3")
    command += ["--epochs", "3", "--sub-epochs", "2", "--model.delay", "1", "--train.chunk", "10"]
    command[command.index("--labelled") + 1] = streams / "shar/labelled"
    run(command)
    command[command.index("--out") + 1] = streams / "killed"
    state = streams / "killed/checkpoint.json"
    kill_when(command, lambda: state.exists() and json.loads(state.read_text())["update"] > 9)
    run(command)
    assert "resumed at update" in (streams / "killed/log.txt").read_text()
    whole, resumed = (load_file(streams / name / "model.safetensors") for name in ("unbroken", "killed"))
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    meta = json.loads((streams / "unbroken/model.json").read_text())["meta"]
    assert meta["teacher"] == "teacher" and meta["history"][-1]["dev"] < 0.8 * np.log(SENONES)
    assert meta["unlabelled_hours"] > 0 and meta["target_cpu_s_per_hour"] > 0


def test_a_stream_of_another_tree_is_refused(streams):
    about = streams / "shar/labelled/shar.json"
    about.write_text(about.read_text().replace('"tree": "', '"tree": "x'))
    command = train_command(streams, "other")
    command[command.index("--labelled") + 1] = streams / "shar/labelled"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "labels of the tree x" in done.stderr
