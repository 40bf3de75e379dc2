"""An environment without k2 and torchaudio: all but the search itself is there, and says what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.lang import toy
from tests.ship import toy_recogniser
from tests.train.toy_speech import ROOT, make_speech, train_command

from understudy.step import read_json, write_json

GONE = "import sys\nsys.modules['k2'] = sys.modules['torchaudio'] = None\n"

# Everything in one process, as imports take most of the time; what brings OpenFst along first, in tests/conftest.py's
# order.
EVERYTHING = """
import kaldifst
import kaldi_hmm_gmm
import kaldilm
import importlib, pkgutil, runpy, sys
from pathlib import Path
import understudy
for name in ("k2", "torchaudio"):
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    sys.exit(f"{name} can be imported here: nothing is tested")
missing = []
def strange(name):
    raise
for module in pkgutil.walk_packages(understudy.__path__, "understudy.", strange):
    try:
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing.append((module.name, error.name))
print(missing)
for step in sorted(Path(sys.argv[1]).glob("*.py")):
    sys.argv = [str(step), "--help"]
    try:
        runpy.run_path(str(step), run_name="__main__")
    except SystemExit as end:
        if end.code:
            sys.exit(f"{step} --help: {end.code}")
    else:
        sys.exit(f"{step} --help: it went on")
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> dict[str, str]:
    """The variables of such an environment, which the processes that a step starts have too."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(GONE)
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ['PYTHONPATH']}"}


def call(bare: dict[str, str], *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), env=bare, capture_output=True, text=True, check=False, timeout=600)


def run(bare: dict[str, str], step: str, *options: object) -> None:
    done = call(bare, sys.executable, ROOT / "steps" / step, *options)
    assert done.returncode == 0, done.stderr


def test_every_module_but_the_search_is_imported_and_every_step_tells_its_options(bare):
    done = call(bare, sys.executable, "-c", EVERYTHING, ROOT / "steps")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "[('understudy.decode.k2_search', 'k2')]" in done.stdout
    assert done.stdout.count("usage: ") == len(list((ROOT / "steps").glob("*.py")))


def test_a_student_is_taught_with_soft_targets(bare, tmp_path):
    speech = make_speech(tmp_path)
    done = call(bare, *train_command(speech, "teacher", "--epochs", "1"))
    assert done.returncode == 0, done.stderr
    feats = speech / "unlabelled.jsonl.gz"
    run(bare, "make_targets.py", "--model", speech / "teacher", "--feats", f"[{feats}]", "--out", speech / "targets",
        "--k", 3, "--jobs", 1)  # fmt: skip
    assert read_json(speech / "targets/report.json")["unlabelled"]["frames"] > 0
    taught = ["--unlabelled", f"[{feats}]", "--targets", f"[{speech / 'targets/unlabelled'}]"]
    done = call(bare, *train_command(speech, "student", "--epochs", "1", *taught))
    assert done.returncode == 0 and (speech / "student/model.safetensors").exists(), done.stderr
    assert "k2 " in done.stderr or "k2 " in (speech / "student/log.txt").read_text()


@pytest.fixture(scope="module")
def toy_folder(bare, tmp_path_factory) -> Path:
    """A recogniser without its graph, the graph that the step makes, and features."""
    folder = tmp_path_factory.mktemp("toy")
    ours = toy_recogniser.make(folder / "model")
    toy.write_arpa(folder / "model")
    run(bare, "make_graph.py", "--lang", folder / "model", "--tree", folder / "model", "--out", folder / "graph")
    for name in ("HCLG.fst", "HCLG.json"):
        (folder / "model" / name).unlink()
    made = toy_recogniser.utterances(folder, "test", ["A B"] * 4)
    run(bare, "make_features.py", "--cuts", f"[{made}]", "--normalise-on", "test", "--perturb", "[]", "--jobs", 1,
        "--out", folder / "feats")  # fmt: skip
    rates = {"wer": 5.0, "wer_low": 4.0, "wer_high": 6.0, "errors": 5, "words": 100, "utterances": 9}
    write_json(folder / "decode/test/wer.json", {"acoustic_scale": 0.7, "prior_scale": 0.5, **rates})
    assert ours.graph.states > 10
    return folder


def test_a_recogniser_is_packed_and_shipped(bare, toy_folder, tmp_path):
    model, feats = toy_folder / "model", toy_folder / "feats"
    run(bare, "pack.py", "--model", model, "--graph", toy_folder / "graph", "--tree", model, "--decoded",
        toy_folder / "decode", "--normaliser", feats / "normaliser.json", "--out", tmp_path / "recogniser")  # fmt: skip
    manifest = feats / "test.jsonl.gz"
    run(bare, "ship.py", "--recogniser", tmp_path / "recogniser", "--calibrate", manifest, "--test", f"[{manifest}]",
        "--system", "toy", "--precisions", "[float32]", "--results", tmp_path / "results.jsonl", "--out",
        tmp_path / "device")  # fmt: skip
    scored = read_json(tmp_path / "device/float32/test/wer.json")
    assert scored["utterances"] == 4 and scored["words"] == 8


def test_words_are_found_with_numpy_and_k2s_search_says_what_it_lacks(bare, toy_folder, tmp_path):
    manifest = toy_folder / "feats/test.jsonl.gz"
    command = [
        sys.executable, ROOT / "steps/decode.py", "--model", toy_folder / "model", "--graph", toy_folder / "graph",
        "--dev", manifest, "--test", "[]", "--system", "toy", "--jobs", "1", "--results", tmp_path / "results.jsonl",
        "--out", tmp_path / "decoded",
    ]  # fmt: skip
    done = call(bare, *command)
    assert done.returncode == 0 and "WER" in done.stderr, done.stderr
    done = call(bare, *command, "--search", "k2")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "k2" in done.stderr and "--search numpy" in done.stderr
