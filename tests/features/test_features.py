"""Features against other implementations; extraction of bad audio; a killed extraction."""

import builtins
import importlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
import pytest
import soundfile
from lhotse import CutSet, MonoCut, Recording, SupervisionSegment
from lhotse.utils import fastcopy

from understudy.corpus import write_cuts
from understudy.features import load_logmel, options, stack, stacked_length
from understudy.features.extract import LogmelExtractor, extract_set, normaliser_of
from understudy.features.logmel import default_backend, logmel
from understudy.features.options import usual_backend
from understudy.parallel.workers import Workers
from understudy.step import UserError

ROOT = Path(__file__).parents[2]
KALDI = LogmelExtractor("kaldi-native-fbank")


def speech_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise with a moving level and a buzz: every mel channel is alive."""
    rng, t = np.random.default_rng(seed), np.arange(int(seconds * 16000)) / 16000
    buzz = sum(np.sin(2 * np.pi * 120 * h * t) / h for h in range(1, 40))
    return (0.05 * (1.2 + np.sin(5 * t)) * (buzz + 0.3 * rng.standard_normal(len(t)))).astype(np.float32)


def make_cut(path: Path, samples: np.ndarray, **options) -> MonoCut:
    soundfile.write(path, samples, 16000, **options)
    recording = Recording.from_file(path, recording_id=path.stem)
    return MonoCut(path.stem, 0, recording.duration, 0, recording=recording)


@pytest.mark.parametrize("backend", ["torchaudio", "kaldifeat"])
def test_back_ends_agree(backend):
    try:
        importlib.import_module(backend)
    except (ImportError, OSError) as error:
        pytest.skip(f"{backend} does not load: {error}")
    samples = speech_like(1.7)
    ours, theirs = logmel(samples, "kaldi-native-fbank"), logmel(samples, backend)
    assert ours.shape == theirs.shape == (170, 64)
    assert np.abs(ours - theirs).max() < 1e-3  # nats


@pytest.mark.parametrize("error", [ImportError("no such module"), OSError("libcudart.so.13: cannot open")])
def test_without_torchaudio_another_back_end_is_the_default(monkeypatch, error):
    """It may be there and not load: its library wants that of another torch."""
    samples, real = speech_like(0.3), builtins.__import__

    def broken(name, *rest):
        if name.startswith("torchaudio"):
            raise error
        return real(name, *rest)

    default_backend.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", broken)
        assert default_backend() == "kaldi-native-fbank"
        assert np.array_equal(logmel(samples), logmel(samples, "kaldi-native-fbank"))
        with pytest.raises(UserError, match=r"torchaudio does not load .*: choose the feature back end kaldi-native"):
            logmel(samples, "torchaudio")
    default_backend.cache_clear()


@pytest.mark.parametrize(
    ("there", "wanted", "usual"),
    [
        (True, ["torch (==1.13.1)"], "torchaudio"),
        (True, ["torch==1.13.1"], "torchaudio"),
        (True, None, "torchaudio"),
        (True, ["numpy>=2", "torch==2.13.0"], "kaldi-native-fbank"),
        (False, None, "kaldi-native-fbank"),
    ],
)
def test_the_usual_back_end_is_that_of_the_torch_that_is_here(monkeypatch, there, wanted, usual):
    monkeypatch.setattr(options, "find_spec", lambda name: name if there else None)
    monkeypatch.setattr(options.metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(options.metadata, "version", lambda name: "1.13.1+cpu")
    assert usual_backend.__wrapped__() == usual


def test_the_usual_back_end_is_the_one_that_loads_here():
    assert usual_backend() == default_backend()


def test_unknown_back_end_lists_the_known():
    with pytest.raises(UserError, match="torchaudio, kaldi-native-fbank"):
        logmel(speech_like(0.1), "htk")


@pytest.mark.parametrize("frames", [3, 4, 5, 98])
@pytest.mark.parametrize("offset", [0, 1, 2])
def test_stacking_keeps_the_number_of_frames(frames, offset):
    values = np.arange(frames * 2, dtype=np.float32).reshape(frames, 2)
    stacked = stack(values, offset)
    assert stacked.shape == (stacked_length(frames), 6)
    assert stacked[0].tolist() == [v for i in range(3) for v in values[min(offset + i, frames - 1)]]
    for start in range(len(stacked)):
        assert np.array_equal(stack(values, offset, start, start + 1), stacked[start : start + 1])


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.stack([speech_like(0.5)] * 2, 1), "channel"),
        (np.where(np.arange(8000) == 77, np.nan, 0.1).astype(np.float32), "not numbers"),
    ],
)
def test_bad_audio_is_named(tmp_path, samples, reason):
    path = tmp_path / "bad.wav"
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    recording = Recording.from_file(path)
    cut = recording.to_cut()
    CutSet.from_cuts([cut]).to_file(tmp_path / "cuts.jsonl.gz")
    with pytest.raises(UserError, match=reason):
        extract_set(tmp_path / "cuts.jsonl.gz", tmp_path / "out", "x", [1.0], 10, KALDI, Workers(1))


def test_missing_audio_is_named(tmp_path):
    cut = make_cut(tmp_path / "gone.wav", speech_like(0.5))
    CutSet.from_cuts([cut]).to_file(tmp_path / "cuts.jsonl.gz")
    (tmp_path / "gone.wav").unlink()
    with pytest.raises(UserError, match=r"cut gone: cannot read .*gone\.wav"):
        extract_set(tmp_path / "cuts.jsonl.gz", tmp_path / "out", "x", [1.0], 10, KALDI, Workers(1))


def test_pieces_of_a_recording_have_the_features_of_their_audio(tmp_path):
    samples = speech_like(12.0)
    whole = make_cut(tmp_path / "chapter.wav", samples)
    times = [(0.0, 3.137), (3.137, 7.0005), (7.0005, 11.991)]
    pieces = [fastcopy(whole, id=f"p{i}", start=a, duration=round(b - a, 4)) for i, (a, b) in enumerate(times)]
    CutSet.from_cuts(pieces).to_file(tmp_path / "cuts.jsonl.gz")
    extract_set(
        tmp_path / "cuts.jsonl.gz",
        tmp_path / "out",
        "set",
        [1.0, 0.9],
        10,
        LogmelExtractor(default_backend()),
        Workers(1),
    )
    found = {cut.id: cut for cut in CutSet.from_file(tmp_path / "out/set.jsonl.gz")}
    for piece, (a, b) in zip(pieces, times):
        expected = logmel(samples[round(a * 16000) : round(b * 16000)])
        stored = load_logmel(found[piece.id])
        assert stored.shape == expected.shape and np.abs(stored - expected).max() < 0.1  # lilcom's rounding
        assert abs(len(load_logmel(found[f"{piece.id}_sp0.9"])) - len(stored) / 0.9) < 2


def test_features_made_again_have_the_same_manifest(tmp_path):
    """To the byte, at any time of day, so that what is made of them stays up to date."""
    CutSet.from_cuts([make_cut(tmp_path / "u.wav", speech_like(1.0))]).to_file(tmp_path / "set.jsonl.gz")
    made = []
    for when in (1.0, 2.0):
        with mock.patch("time.time", return_value=when):
            extract_set(
                tmp_path / "set.jsonl.gz",
                tmp_path / "out",
                "set",
                [1.0],
                2,
                LogmelExtractor(default_backend()),
                Workers(1),
            )
        made.append((tmp_path / "out/set.jsonl.gz").read_bytes())
        shutil.rmtree(tmp_path / "out")
    assert made[0] == made[1]
    with mock.patch("understudy.features.extract.logmel", lambda samples, _: logmel(samples)):
        extract_set(
            tmp_path / "set.jsonl.gz", tmp_path / "out", "set", [1.0], 2, LogmelExtractor("another"), Workers(1)
        )
    assert (tmp_path / "out/set.jsonl.gz").read_bytes() != made[0]


def test_killed_extraction_resumes_to_the_same(tmp_path):
    cuts = [make_cut(tmp_path / f"u{i:02d}.wav", speech_like(1.0 + i / 20, i)) for i in range(30)]
    CutSet.from_cuts(cuts).to_file(tmp_path / "set.jsonl.gz")
    command = [sys.executable, ROOT / "steps/make_features.py", "--cuts", f"[{tmp_path / 'set.jsonl.gz'}]"]
    command += ["--normalise-on", "set", "--perturb", "[set]", "--speeds", "[0.9]", "--shard-size", "2", "--jobs", "1"]
    subprocess.run([*command, "--out", tmp_path / "whole"], check=True, capture_output=True)
    process = subprocess.Popen([*command, "--out", tmp_path / "killed"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "killed").glob("set/*.jsonl.gz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "killed/set.jsonl.gz").exists()
    (tmp_path / "killed/set/00001.lca").unlink()  # lost, with its manifest still there
    subprocess.run([*command, "--out", tmp_path / "killed"], check=True, capture_output=True)
    whole, killed = (list(CutSet.from_file(tmp_path / f / "set.jsonl.gz")) for f in ("whole", "killed"))
    assert [c.id for c in whole] == [c.id for c in killed] and len(whole) == 60
    for a, b in zip(whole, killed):
        assert np.array_equal(load_logmel(a), load_logmel(b))


def test_a_killed_process_is_replaced_and_the_features_are_the_same(tmp_path):
    cuts = [make_cut(tmp_path / f"u{i:02d}.wav", speech_like(3.0 + i / 20, i)) for i in range(60)]
    CutSet.from_cuts(cuts).to_file(tmp_path / "set.jsonl.gz")
    command = [sys.executable, ROOT / "steps/make_features.py", "--cuts", f"[{tmp_path / 'set.jsonl.gz'}]"]
    command += ["--normalise-on", "set", "--shard-size", "2"]
    subprocess.run([*command, "--jobs", "1", "--out", tmp_path / "whole"], check=True, capture_output=True)
    step = subprocess.Popen([*command, "--jobs", "2", "--out", tmp_path / "two"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "two").glob("set/*.jsonl.gz")) and time.monotonic() < deadline:
        time.sleep(0.005)
    workers = [p for p in psutil.Process(step.pid).children() if "spawn_main" in " ".join(p.cmdline())]
    assert len(workers) == 2
    workers[0].kill()
    assert step.wait(120) == 0
    assert "a process ended" in (tmp_path / "two/log.txt").read_text()
    for a, b in zip(*(CutSet.from_file(tmp_path / f / "set.jsonl.gz") for f in ("whole", "two")), strict=True):
        assert a.id == b.id and np.array_equal(load_logmel(a), load_logmel(b))


def test_normaliser(tmp_path):
    cuts = [make_cut(tmp_path / f"u{i}.wav", speech_like(1.0, i)) for i in range(3)]
    CutSet.from_cuts(cuts).to_file(tmp_path / "set.jsonl.gz")
    with mock.patch("understudy.features.extract.logmel", lambda samples, _: logmel(samples)):
        extract_set(
            tmp_path / "set.jsonl.gz", tmp_path / "out", "set", [1.0], 2, LogmelExtractor("another"), Workers(1)
        )
    normaliser = normaliser_of(tmp_path / "out/set.jsonl.gz", None)
    frames = np.concatenate([normaliser(load_logmel(c)) for c in CutSet.from_file(tmp_path / "out/set.jsonl.gz")])
    assert np.abs(frames.mean(0)).max() < 1e-3 and np.abs(frames.std(0) - 1).max() < 1e-3


def test_a_mean_that_cannot_follow_is_refused_before_anything_is_extracted(tmp_path):
    CutSet.from_cuts([make_cut(tmp_path / "u.wav", speech_like(0.5))]).to_file(tmp_path / "labelled.jsonl.gz")
    command = [sys.executable, ROOT / "steps/make_features.py", "--cuts", f"[{tmp_path / 'labelled.jsonl.gz'}]"]
    command += ["--online.prior", "0", "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "prior must be more than 0 frames" in done.stderr
    assert not (tmp_path / "out/labelled.jsonl.gz").exists()


def test_an_utterance_without_a_frame_is_named(tmp_path):
    cut = make_cut(tmp_path / "short.wav", np.zeros(320, np.float32))
    cut.supervisions = [SupervisionSegment("short", "short", 0, cut.duration, text="ON", speaker="ann")]
    write_cuts(tmp_path / "set.jsonl.gz", [cut])
    with pytest.raises(UserError, match="cut short: lasts 20 ms"):
        extract_set(tmp_path / "set.jsonl.gz", tmp_path / "out", "set", [1.0], 10, KALDI, Workers(1))
