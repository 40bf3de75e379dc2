"""The page's folder, and under Node the numbers of each of its modules beside those of the run-time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kaldi_native_fbank as knf
import numpy as np
import onnx
import pytest
import soundfile
from tests.lang import toy
from tests.ship import toy_recogniser
from tests.ship.test_sherpa import all_that_graphs_have

from understudy.device.audio import file_blocks
from understudy.device.best_path import Beams
from understudy.device.endpointing import EndpointOptions
from understudy.device.files import seal
from understudy.device.normalise import OnlineMean
from understudy.device.openfst import read_fst
from understudy.device.recogniser import Recogniser
from understudy.device.search import Graph, Search
from understudy.lang.graph import write_fst
from understudy.ship import web, web_graph
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.quantise import write_network
from understudy.ship.web import write_web
from understudy.step import UserError

ROOT = Path(__file__).parents[2]
MOST = 2_000_000
CASES = [("int8-dynamic", 0, OnlineMean()), ("int8-dynamic", 10, OnlineMean(8, 7)), ("int8-static", 10, None),
         ("int8-static", 0, OnlineMean(3, 0, 9.0))]  # fmt: skip
UTTERANCES, OTHERS = 40, 4
"""Utterances, and how many may have other words: weights are random, so paths are close, and a log-mel that differs in
its last digits may be rounded to another step"""


def paged(device: Path, out: Path) -> Path:
    """The page of a folder of a precision, as Node takes its modules."""
    write_web(device, out, MOST)
    (out / "package.json").write_text('{"type": "module"}')
    return out


def node(page: Path, deed: str, *files: Any) -> Any:
    """What on_page.mjs tells."""
    done = node_run(page, deed, *files)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def node_run(page: Path, deed: str, *files: Any) -> subprocess.CompletedProcess:
    if not (found := shutil.which("node")):
        pytest.skip("needs node, which is not installed")
    command = [found, Path(__file__).with_name("on_page.mjs"), page, deed, *files]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def wav(path: Path, samples: np.ndarray, rate: int = 16000, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folder of a precision, and its page."""
    precision, projection, online = request.param
    folder = tmp_path_factory.mktemp("shipped")
    toy_recogniser.ship(folder, precision, projection=projection, online=online)
    return folder / precision, paged(folder / precision, folder / "page")


@pytest.mark.parametrize("seconds", [0.005, 0.03, 0.1, 0.41, 8.0])
def test_features_are_the_same(shipped: tuple[Path, Path], seconds: float, tmp_path: Path) -> None:
    front = Recogniser(shipped[0]).front
    path = wav(tmp_path / "heard.wav", toy_recogniser.noise(seconds, 3))
    samples = soundfile.read(path, dtype="float32")[0]
    fbank = knf.OnlineFbank(front._options)
    fbank.accept_waveform(16000, 32768 * samples)
    fbank.input_finished()
    utterance, found = front.utterance(), node(shipped[1], "features", path)
    features = np.concatenate([utterance(samples), utterance.finish()])
    assert len(found["logMels"]) == fbank.num_frames_ready and len(found["features"]) == len(features)
    off = [np.abs(fbank.get_frame(frame) - row) for frame, row in enumerate(found["logMels"])]
    # Kaldi's float32 spectrum of a loud tone leaves a channel 50 dB below it three digits.
    assert not off or (np.max(off) < 3e-3 and np.mean(off) < 1e-4)
    if len(features):
        assert np.abs(features - found["features"]).max() < 1e-3


@pytest.mark.parametrize("frames", [1, 3, 10, 11, 87])
def test_scores_are_the_same(shipped: tuple[Path, Path], frames: int, tmp_path: Path) -> None:
    recogniser = Recogniser(shipped[0])
    features = np.random.default_rng(frames).normal(size=(frames, recogniser.front.width)).astype(np.float32)
    features.tofile(tmp_path / "features")
    utterance = recogniser.network.utterance()
    logits = np.concatenate([utterance(features), utterance.finish()])
    found = node(shipped[1], "scores", tmp_path / "features")
    assert np.shape(found["logits"]) == logits.shape == (frames, recogniser.network.senones)
    assert np.abs(logits).max() > 1
    # A last bit of an activation may move it to the next of its steps, now and then.
    off = np.abs(logits - found["logits"]).max(1)
    assert np.median(off) < 1e-4 and off.max() < 0.2
    assert np.abs(recogniser.scores(np.float32(found["logits"])) - found["scores"]).max() < 1e-5


@pytest.mark.parametrize("beams", [Beams(20, 20, 1000), Beams(3, 3, 1000), Beams(20, 1, 4), Beams(0.5, 0, 1000)])
def test_paths_are_the_same(tmp_path: Path, beams: Beams) -> None:
    """At each frame and at the end, also where the search prunes."""
    toy_recogniser.ship(tmp_path, "int8-static")
    page = paged(tmp_path / "int8-static", tmp_path / "page")
    write_fst(all_that_graphs_have(), tmp_path / "graph.fst")
    graph = Graph(tmp_path / "graph.fst", ["<eps>", "A", "B"], 3, [[1, 2], [2, 2, 1]], 8)
    _with_graph(page, tmp_path / "graph.fst", beams)
    rng, words = np.random.default_rng(0), set()
    every = [rng.normal(size=(frames, 8)).astype(np.float32) * 2 for frames in [1, 2, 3] + [12] * 40]
    for number, scores in enumerate(every):
        scores.tofile(tmp_path / f"{number}")
    told_of = node(page, "paths", *(tmp_path / f"{number}" for number in range(len(every))))
    for scores, found in zip(every, told_of, strict=True):
        search = Search(graph, beams)
        assert len(found["soFar"]) == len(scores)
        for frame, told in enumerate(found["soFar"]):
            search(scores[frame : frame + 1])
            assert _of(search.so_far()) == told
        final = search.finish()
        assert _of(final) == found["final"]
        words.add(tuple(final.words) if final else None)
    assert len(words) > 5


def test_the_search_is_widened_until_there_is_an_end(tmp_path: Path) -> None:
    """A word that ends costs ten nats more than one that goes on: at first no path is within the beam of it."""
    toy_recogniser.ship(tmp_path, "int8-static")
    page = paged(tmp_path / "int8-static", tmp_path / "page")
    arcs = [(0, 1, 1, 1, 0.1), (0, 2, 2, 2, 10.1), (1, 1, 3, 0, 0.1), (2, 2, 4, 0, 0.1)]
    write_fst(toy.decoding_graph(arcs, {2: (0, 0.3)}, [], 3), tmp_path / "graph.fst")
    scores = np.zeros((4, 8), np.float32)
    scores.tofile(tmp_path / "scores")
    graph = Graph(tmp_path / "graph.fst", ["<eps>", "A", "B"], 3, [], 8)
    for beam, widened, words in ((3.0, True, [2]), (12.0, False, [2]), (1.0, True, None)):
        _with_graph(page, tmp_path / "graph.fst", Beams(beam, 0, 1000))
        search, (found,) = Search(graph, Beams(beam, 0, 1000)), node(page, "paths", tmp_path / "scores")
        search(scores)
        final = search.finish()
        assert search.widened == widened and (final and final.words) == words
        assert found["final"] == _of(final)


def _of(best: Any) -> dict[str, list[int]] | None:
    return best and {"labels": best.labels, "outputs": best.words}


def _with_graph(page: Path, graph: Path, beams: Beams) -> None:
    """Put another graph into a page's folder."""
    about = json.loads((page / "model.json").read_text())
    told, arrays = web_graph.as_web(read_fst(graph), graph)
    data = bytearray((page / "model.bin").read_bytes())
    for name, values in arrays.items():
        data += bytes(-len(data) % 8)
        about["arrays"][name] = {"kind": values.dtype.name, "length": values.size, "at": len(data)}
        data += values.tobytes()
    about["graph"], about["bytes"] = told, len(data)
    about["search"] |= beams._asdict()
    (page / "model.bin").write_bytes(data)
    (page / "model.json").write_text(json.dumps(about))


def test_words_so_far_and_at_the_end_are_the_same(shipped: tuple[Path, Path], tmp_path: Path) -> None:
    recogniser, patience = Recogniser(shipped[0]), EndpointOptions()
    files = [
        wav(tmp_path / f"{n}.wav", toy_recogniser.noise(1.0 + 0.13 * (n % 30), 100 + n)) for n in range(UTTERANCES)
    ]
    same = 0
    for path, told in zip(files, node(shipped[1], "events", *files), strict=True):
        ours = recogniser.hear(file_blocks(path, 16000), patience)
        expected = [(one.final, one.start, one.heard.words) for one in ours]
        same += expected == [(one["final"], one["start"], one["words"]) for one in told["events"]]
    assert same >= UTTERANCES - OTHERS


@pytest.mark.parametrize("least", [-1e9, 1e9])
def test_unsure_words_are_not_told(tmp_path: Path, least: float) -> None:
    toy_recogniser.ship(tmp_path, "int8-static")
    device = tmp_path / "int8-static"
    about = json.loads((device / "device.json").read_text()) | {"least_confidence": least}
    (device / "device.json").write_text(json.dumps(about))
    path = wav(tmp_path / "heard.wav", toy_recogniser.noise(2.0, 5))
    *_, last = node(paged(device, tmp_path / "page"), "events", path)[0]["events"]
    ours = Recogniser(device).whole(soundfile.read(path, dtype="float32")[0])
    assert (last["rejected"], last["words"]) == (ours.rejected, ours.words) and ours.rejected == (least > 0)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_tones_stay_tones_at_another_rate(shipped: tuple[Path, Path], rate: int, tmp_path: Path) -> None:
    tone = lambda of: 0.5 * np.sin(2 * np.pi * 1234.5 * np.arange(of // 2) / of)  # noqa: E731
    path = wav(tmp_path / "tone.wav", tone(rate), rate, "FLOAT")
    found = np.array(node(shipped[1], "resampled", path, 16000))
    assert len(found) == 8000
    assert np.abs(found - tone(16000))[100:-100].max() < 2e-3


def test_tones_that_the_lower_rate_cannot_hold_are_gone(shipped: tuple[Path, Path], tmp_path: Path) -> None:
    path = wav(tmp_path / "high.wav", 0.5 * np.sin(2 * np.pi * 9500 * np.arange(24000) / 48000), 48000)
    found = np.array(node(shipped[1], "resampled", path, 16000))
    assert np.abs(found[100:-100]).max() < 5e-3


@pytest.mark.parametrize(
    ("subtype", "format"), [*((kind, "WAV") for kind in ("PCM_16", "PCM_24", "PCM_32", "FLOAT")), ("PCM_24", "WAVEX")]
)
def test_files_of_each_kind_are_read(shipped: tuple[Path, Path], subtype: str, format: str, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    soundfile.write(tmp_path / "two.wav", samples, 11025, subtype=subtype, format=format)
    found = node(shipped[1], "wav", tmp_path / "two.wav")
    assert (found["rate"], found["channels"]) == (11025, 2)
    assert np.abs(samples[:, 0] - found["samples"]).max() < 1 / 32768


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"OggS" + bytes(60), "must be WAV audio, got something else; convert it"),
        (b"RIFF\x24\0\0\0WAVE" + bytes(4), "must hold samples, got a WAV header without any"),
        (None, "must be PCM (1) of 16, 24 or 32 bits or floats (3) of 32, got kind 7 of 8 bits, 1 channels, 8000 Hz"),
    ],
)
def test_other_files_are_told_of(shipped: tuple[Path, Path], data: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "other.wav"
    if data is None:
        soundfile.write(path, np.zeros(100), 8000, subtype="ULAW")
    else:
        path.write_bytes(data)
    done = node_run(shipped[1], "wav", path)
    assert done.returncode == 1 and message in done.stderr


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.bin", lambda data: data[:-8], "model.bin must have"),
        ("model.json", lambda data: data[:-9], "model.json must be JSON, got something else"),
        ("model.json", lambda data: data.replace(b'"format":1', b'"format":2'), "must be of format 1, got 2; make the"),
    ],
)
def test_a_folder_that_is_not_whole_is_told_of(
    shipped: tuple[Path, Path], name: str, change: Any, message: str, tmp_path: Path
) -> None:
    page = shutil.copytree(shipped[1], tmp_path / "page")
    (page / name).write_bytes(change((page / name).read_bytes()))
    done = node_run(page, "paths", page / "model.bin")
    assert done.returncode == 1 and message in done.stderr


def test_the_step_makes_a_page_once(tmp_path: Path) -> None:
    toy_recogniser.ship(tmp_path / "networks", "int8-dynamic")
    command = [sys.executable, ROOT / "steps/ship_web.py", "--device", tmp_path / "networks/int8-dynamic"]
    command += ["--out", tmp_path / "web"]
    for said in ("bytes, ", "is up to date"):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0 and said in done.stderr, done.stderr
    found = {path.name for path in (tmp_path / "web/page").iterdir()}
    assert found >= {"index.html", "style.css", "page.js", "worker.js", "model.json", "model.bin"}
    assert not any(name.startswith(".") for name in found)


def test_a_graph_with_epsilons_is_refused(tmp_path: Path) -> None:
    ours = toy_recogniser.make(tmp_path / "recogniser", compact=True)
    write_graph(ours.compact, tmp_path)
    write_network("int8-dynamic", ours.model, ours.normaliser, ours.tree.fingerprint, [], tmp_path / "network.onnx")
    seal_folder(ours, tmp_path, graph=ours.compact)
    with pytest.raises(UserError, match=r"its graph has epsilons, .* Ship it with steps/ship\.py --compact false"):
        write_web(tmp_path, tmp_path / "page", MOST)


def test_what_a_page_cannot_run_is_refused(tmp_path: Path) -> None:
    toy_recogniser.ship(tmp_path, "float32", "int8-static")
    with pytest.raises(UserError, match="must have weights in 8 bits, got float32; give the folder int8-dynamic or"):
        write_web(tmp_path / "float32", tmp_path / "page", MOST)
    device = tmp_path / "int8-static"
    with pytest.raises(UserError, match=r"must have 50000 bytes at most, got .* model.bin has .*; ship a smaller"):
        write_web(device, tmp_path / "page", 50_000)
    network = onnx.load(device / "network.onnx")
    del network.graph.initializer[next(i for i, w in enumerate(network.graph.initializer) if w.name == "lstm.1.r")]
    onnx.save(network, str(device / "network.onnx"))
    with pytest.raises(UserError, match=r"network\.onnx: cut off"):
        write_web(device, tmp_path / "page", MOST)
    about = json.loads((device / "device.json").read_text())
    about["files"]["network.onnx"] = seal(device / "network.onnx")
    (device / "device.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match=r"must be LSTM layers and a linear output, got a network without lstm\.1\.r"):
        write_web(device, tmp_path / "page", MOST)
    (device / "graph.fst").unlink()
    with pytest.raises(UserError, match=r"no such file\. Copy the whole folder"):
        write_web(device, tmp_path / "page", MOST)
    assert not (tmp_path / "page").exists()


def test_a_graph_with_silent_arcs_inside_is_refused(tmp_path: Path) -> None:
    write_fst(all_that_graphs_have(), tmp_path / "graph.fst")
    graph = read_fst(tmp_path / "graph.fst")
    arcs = graph.arcs.copy()
    arcs[0, 0] = 0
    with pytest.raises(UserError, match="must have arcs without input at its end alone, got 1 others"):
        web_graph.as_web(graph._replace(arcs=arcs), tmp_path / "graph.fst")


def test_the_page_in_the_documentation_is_the_one_that_is_made_today() -> None:
    demo, page = Path(__file__).parents[2] / "docs/demo", Path(web.__file__).parent / "page"
    files = sorted(path.name for path in page.iterdir())
    assert files and set(files) | {"README.md", "model.bin", "model.json"} == {path.name for path in demo.iterdir()}
    different = [name for name in files if (demo / name).read_bytes() != (page / name).read_bytes()]
    assert not different, "make docs/demo anew with steps/ship_web.py"
