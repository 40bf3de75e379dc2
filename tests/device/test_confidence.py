"""What is not sure is not told: the same utterances in the recipe's run-time and on the device, and it is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.decode.listener import Listener
from understudy.decode.recogniser import Recogniser as OurRecogniser
from understudy.device.confidence import Rules, confidence, is_rejected, misfit
from understudy.device.endpointing import EndpointOptions
from understudy.device.errors import DeviceError
from understudy.device.recogniser import Recogniser
from understudy.ship.export import export
from understudy.ship.folder import COMMAND, seal_folder, write_graph
from understudy.step import read_json, write_json

ROOT = Path(__file__).parents[2]
AUDIO = [noise(seconds, seed) for seed, seconds in enumerate((2.5, 4.0, 1.7, 3.1, 2.2, 5.0))]


def test_it_is_the_mean_of_what_speech_has_before_silence():
    rng = np.random.default_rng(0)
    scores, silences, path = rng.normal(0, 2, (40, 9)).astype(np.float32), [3, 7], rng.integers(0, 9, 40).tolist()
    gains = [row[s] - max(row[3], row[7]) for row, s in zip(scores.tolist(), path) if s not in silences]
    assert confidence(scores, path, silences) == pytest.approx(sum(gains) / len(gains), abs=1e-5)
    # What all senones of a frame have more or less of changes nothing: a device's scores are not normalised.
    moved = scores + rng.normal(0, 9, (40, 1)).astype(np.float32)
    assert confidence(moved, path, silences) == pytest.approx(confidence(scores, path, silences), abs=1e-5)
    assert confidence(scores[:2], [3, 7], silences) is None


def test_a_misfit_is_the_mean_distance_from_the_best_where_somebody_speaks():
    scores = np.array([[0, 1, 2], [5, 1, 0], [3, 4, 0], [9, 0, 0], [0, 2, 1]], np.float32)
    silences, path = [0], [2, 0, 2, 1, 0]  # the second frame is silence for both
    assert misfit(scores, path, silences) == pytest.approx((0 + 4 + 9 + 2) / 4)
    assert misfit(scores + np.arange(5, dtype=np.float32)[:, None], path, silences) == pytest.approx(15 / 4)
    assert misfit(scores[1:2], [0], silences) is None


def test_sentences_are_judged_by_both():
    rng = np.random.default_rng(2)
    scores, path = rng.normal(0, 2, (30, 9)).astype(np.float32), [1] * 30
    sure, apart = confidence(scores, path, [3]), misfit(scores, path, [3])
    for least, most, why in (
        (None, None, ""), (sure - 0.1, apart + 0.1, ""), (sure + 0.1, None, "not sure that there are any"),
        (None, apart - 0.1, f"none of the sentences (misfit {apart:.2f} nats, {apart - 0.1:.2f} at most)"),
    ):  # fmt: skip
        found, told = Rules(least, most).judge(scores, path, [3])
        assert found == sure and (why in told if why else not told)
    assert Rules(None, 1.0).judge(scores, [3] * 30, [3])[0] is None


def test_what_is_below_the_least_is_rejected():
    assert is_rejected(0.9, 1.0) and not is_rejected(1.0, 1.0)
    assert not is_rejected(0.9, None) and not is_rejected(None, 1.0)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> OurRecogniser:
    return toy_recogniser.make(tmp_path_factory.mktemp("recogniser") / "without")


@pytest.fixture(scope="module")
def least(without: OurRecogniser) -> float:
    """With which three of the six utterances are rejected, well away from all of them."""
    sure = sorted(heard.confidence for heard in without.hear(AUDIO, times=False))
    assert all(b - a > 1e-3 for a, b in pairwise(sure))
    return (sure[2] + sure[3]) / 2


@pytest.fixture(scope="module")
def packed(without: OurRecogniser, least: float, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recogniser with that rule."""
    folder = tmp_path_factory.mktemp("packed") / "recogniser"
    toy_recogniser.make(folder)
    write_json(folder / "recogniser.json", without.about | {"least_confidence": least})
    return folder


@pytest.fixture(scope="module")
def folder(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It on a device, in float32."""
    ours, folder = OurRecogniser(packed), tmp_path_factory.mktemp("device")
    export(ours.model, ours.normaliser, ours.tree.fingerprint, folder / "network.onnx")
    write_graph(ours.graph, folder)
    seal_folder(ours, folder)
    return folder


def test_both_reject_the_same(without: OurRecogniser, packed: Path, folder: Path) -> None:
    ours, device = OurRecogniser(packed).hear(AUDIO, times=False), Recogniser(folder)
    theirs = [device.whole(samples) for samples in AUDIO]
    assert sum(heard.rejected for heard in ours) == 3
    for before, one, other in zip(without.hear(AUDIO, times=False), ours, theirs):
        assert one.rejected == other.rejected and one.confidence == pytest.approx(other.confidence, abs=1e-3)
        assert one.confidence == before.confidence and before.words and not before.rejected
        assert other.words == [word.text for word in one.words] and one.words == ([] if one.rejected else before.words)


def test_streams_end_with_what_is_rejected_and_tell_it(packed: Path, folder: Path) -> None:
    ours, device = OurRecogniser(packed), Recogniser(folder)
    patience, told = EndpointOptions(pause=0.0, idle=0.0), []
    for samples in AUDIO:
        blocks = [samples[at : at + 1600] for at in range(0, len(samples), 1600)]
        for events in (Listener(ours, patience, False).events(blocks), device.hear(blocks, patience)):
            *news, last = events
            whole = device.whole(samples)
            assert last.final and last.heard.rejected == whole.rejected
            assert last.heard.confidence == pytest.approx(whole.confidence, abs=1e-3)
            assert any(event.heard.words for event in news)  # words so far are shown however sure they are
            assert not any(event.heard.rejected for event in news)
            told.append(bool(last.heard.words))
    assert told.count(False) == 6 and told[::2] == told[1::2]


def test_an_utterance_that_is_rejected_is_an_event_among_others(folder: Path) -> None:
    # One after another, as a length ends them: none is passed over as what has no words is.
    device = Recogniser(folder)
    finals = [e for e in device.hear([np.concatenate(AUDIO)], EndpointOptions(longest=2.0)) if e.final]
    rejected = [e for e in finals if e.heard.rejected]
    assert rejected and all(e.heard.words == [] for e in rejected)
    assert [e.start for e in finals] == sorted({e.start for e in finals})


@pytest.mark.parametrize("which", ["device", "listen", "transcribe"])
def test_commands_say_so(which: str, packed: Path, folder: Path, least: float, tmp_path: Path) -> None:
    device = Recogniser(folder)
    for number, samples in enumerate(AUDIO):
        soundfile.write(tmp_path / f"{number}.wav", samples, 16000, subtype="PCM_16")
    (command, ends) = {
        "device": ([folder / COMMAND, "--pause", "0", "--idle", "0"], True),
        "listen": ([ROOT / "steps/listen.py", "--recogniser", packed, "--patience.pause", "0"], True),
        "transcribe": ([ROOT / "steps/transcribe.py", "--recogniser", packed], False),
    }[which]
    paths = sorted(tmp_path.glob("*.wav"))
    form = ["--format", "json", *(["--patience.idle", "0"] if which == "listen" else [])]
    done = subprocess.run(
        [sys.executable, command[0], *paths, *command[1:], *form], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [device.whole(soundfile.read(path, dtype="float32")[0]).rejected for path in paths]
    finals = [one for one in told if one["final"]] if ends else told
    assert [bool(one.get("rejected")) for one in finals] == expected and True in expected
    for one, rejected in zip(finals, expected):
        assert bool(one["text"] if ends else one["words"]) != rejected
    assert done.stderr.count("are not told: the recogniser is not sure") == sum(expected)


def test_a_folder_without_the_rule_tells_all_and_a_wrong_rule_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "older")
    about = read_json(folder / "device.json")
    del about["least_confidence"]
    write_json(tmp_path / "older/device.json", about)
    older = Recogniser(tmp_path / "older")
    assert older.least_confidence is None and all(older.whole(samples).words for samples in AUDIO)
    write_json(tmp_path / "older/device.json", about | {"least_confidence": "much"})
    with pytest.raises(DeviceError, match="nothing to be used for least_confidence"):
        Recogniser(tmp_path / "older")
