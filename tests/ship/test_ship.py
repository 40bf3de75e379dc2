"""The step that ships: what is refused does not lie there as if it could be used."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tests.ship import toy_recogniser

from understudy.device.errors import DeviceError
from understudy.device.recogniser import Recogniser
from understudy.features.logmel import NUM_MELS
from understudy.models import LstmModel
from understudy.ship import precisions
from understudy.ship.export import export
from understudy.ship.folder import write_graph
from understudy.step import UserError


def test_a_network_that_is_not_the_model_makes_no_folder_whole(tmp_path: Path) -> None:
    ours, speech = toy_recogniser.make(tmp_path / "recogniser"), [torch.randn(30, 3 * NUM_MELS)]
    folders = {name: tmp_path / name for name in ("int8-dynamic", "float32")}

    def networks(model: LstmModel) -> None:
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
            export(model, ours.normaliser, ours.tree.fingerprint, folder / "network.onnx")
            write_graph(ours.graph, folder)

    other = copy.deepcopy(ours.model)
    with torch.no_grad():
        other.output.bias.add_(0.1)
    networks(other)
    with pytest.raises(UserError, match=r"float32/network\.onnx: its logits differ from the model's by 0\.1"):
        precisions.seal_alike(ours, speech, folders)
    for folder in folders.values():
        with pytest.raises(DeviceError, match=r"no device\.json in it"):
            Recogniser(folder)
    networks(ours.model)
    likes = precisions.seal_alike(ours, speech, folders)
    assert list(likes) == list(folders) and likes["float32"].largest < precisions.SAME
    for folder in folders.values():
        assert Recogniser(folder).network.senones == ours.model.senones


def test_a_killed_step_goes_on_with_what_it_has_not_heard(tmp_path: Path) -> None:
    toy_recogniser.make(tmp_path / "recogniser")
    made, out = toy_recogniser.utterances(tmp_path, "test", ["ONE TWO"] * 12), tmp_path / "out"
    manifest = toy_recogniser.with_features(made, tmp_path / "recogniser/normaliser.json")
    command = [sys.executable, Path(__file__).parents[2] / "steps/ship.py", "--recogniser", tmp_path / "recogniser"]
    command += ["--calibrate", manifest, "--test", f"[{manifest}]", "--system", "toy", "--precisions", "[float32]"]
    command += ["--shard-size", "2", "--results", tmp_path / "results.jsonl", "--out", out]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    heard, deadline = out / "heard/float32/test", time.monotonic() + 60
    while len(list(heard.glob("0*.jsonl"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in heard.glob("0*.jsonl")}
    assert 2 <= len(kept) < 6 and not (tmp_path / "results.jsonl").exists()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    (line,) = map(json.loads, (tmp_path / "results.jsonl").read_text().splitlines())
    assert line["words"] == 24 and line["utterances"] == 12
    clash = subprocess.run(
        [*command, "--dev", manifest, "--test", f"[{out}/dev.jsonl.gz]"], capture_output=True, text=True
    )
    assert clash.returncode == 1 and "give each its own, and none dev" in clash.stderr


def test_of_a_large_set_some_utterances_may_be_heard_and_dev_is_whole(tmp_path: Path) -> None:
    toy_recogniser.make(tmp_path / "recogniser")
    normaliser, sets = tmp_path / "recogniser/normaliser.json", {}
    for name, count in {"test": 7, "dev": 4}.items():
        sets[name] = toy_recogniser.with_features(
            toy_recogniser.utterances(tmp_path, name, ["ONE TWO"] * count), normaliser
        )
    command = [sys.executable, Path(__file__).parents[2] / "steps/ship.py", "--recogniser", tmp_path / "recogniser"]
    command += ["--calibrate", sets["dev"], "--test", f"[{sets['test']}]", "--dev", sets["dev"], "--utterances", "5"]
    command += ["--system", "toy", "--precisions", "[float32]", "--results", tmp_path / "results.jsonl"]
    done = subprocess.run([*command, "--out", tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, (tmp_path / "results.jsonl").read_text().splitlines())
    assert (line["utterances"], line["tested_on"]["utterances"], line["words"]) == (5, 5, 10)
    assert json.loads((tmp_path / "out/dev.json").read_text())["float32"]["utterances"] == 4
