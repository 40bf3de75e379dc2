"""Folders for sherpa-onnx: scores, paths and texts of the run-time (`test_sherpa_engine` has the engine)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import kaldi_native_fbank as knf
import kaldifst
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests.device.test_graph_arcs import BASE, random_arcs
from tests.lang import toy
from tests.ship import toy_recogniser

from understudy.decode.numpy_search import search_part
from understudy.decode.options import Beams as KeptBeams
from understudy.decode.search import Wanted
from understudy.device.best_path import Beams
from understudy.device.decoding_graph import as_fst
from understudy.device.features import fbank_options
from understudy.device.files import seal
from understudy.device.normalise import OnlineMean
from understudy.device.openfst import read_fst, to_bytes
from understudy.device.recogniser import Recogniser, UtteranceDecoding
from understudy.device.search import Graph, Search
from understudy.lang.graph import DecodingGraph, write_fst
from understudy.ship import sherpa_graph, sherpa_text
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.options import Precision
from understudy.ship.quantise import write_network
from understudy.ship.sherpa import silence_after, write_sherpa
from understudy.step import UserError

ROOT = Path(__file__).parents[2]


def ship(folder: Path, precision: Precision = "float32", **how: Any) -> Path:
    """The folder of a toy recogniser."""
    toy_recogniser.ship(folder, precision, **how)
    return folder / precision


def told(folder: Path, samples: np.ndarray) -> np.ndarray:
    """What model.onnx scores, heard as sherpa-onnx calls it: log-mels of ±1 samples in pieces, states by order."""
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    meta = session.get_modelmeta().custom_metadata_map
    frames, (x, *states) = int(meta["T"]), session.get_inputs()
    features = {"sample_rate": 16000, "mels": 64, "low_hz": 20, "high_hz": -400, "window_s": 0.025, "shift_s": 0.01}
    fbank = knf.OnlineFbank(fbank_options(features))
    fbank.accept_waveform(16000, samples)
    logmel = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
    before = {one.name: np.zeros(shape, np.float32) for one, shape in zip(states, shapes(meta))}
    before[states[-1].name] = np.zeros(1, np.int64)
    scores = []
    for begin in range(0, len(logmel) - frames, int(meta["decode_chunk_len"])):
        found, *after = session.run(None, {x.name: logmel[None, begin : begin + frames], **before})
        before = dict(zip(before, after))
        scores.append(found[0])
    return np.concatenate(scores)


def shapes(meta: dict[str, str]) -> list[list[int]]:
    """Of a model with one stack of one layer, from metadata as the engine reads it."""
    encoder, query, value, kernel, left = (
        int(meta[name]) for name in
        ("encoder_dims", "query_head_dims", "value_head_dims", "cnn_module_kernels", "left_context_len")
    )  # fmt: skip
    assert meta["num_heads"] == meta["num_encoder_layers"] == "1"
    attention, convolution = [1, 1, left, 3 * encoder // 4], [1, encoder, kernel // 2]
    value_shape = [left, 1, value]
    return [[left, 1, query], attention, value_shape, value_shape, convolution, convolution, [1, 128, 3, 19], [1]]


def loud() -> np.ndarray:
    """Longer than any window; in no channel as soft as the floor of ±1 samples, which only some front ends have."""
    rng = np.random.default_rng(2)
    return toy_recogniser.noise(9.0, 3) + 0.003 * rng.normal(size=9 * 16000).astype(np.float32)


def heard(device: Path, samples: np.ndarray) -> np.ndarray:
    """Scores of the run-time, as many as are known before the audio's end is."""
    utterance = UtteranceDecoding(Recogniser(device))
    utterance.hear(samples)
    return utterance._search.scores


@pytest.mark.parametrize(
    ("online", "delay", "projection"),
    [
        (OnlineMean(), 3, 0), (OnlineMean(8, 7), 0, 10), (OnlineMean(30, 25, 9.0), 12, 0),
        (OnlineMean(0.5, 0), 10, 0), (OnlineMean(8, 45), 3, 0), (None, 3, 10),
    ],
)  # fmt: skip
def test_scores_are_those_of_the_run_time(
    tmp_path: Path, online: OnlineMean | None, delay: int, projection: int
) -> None:
    device = ship(tmp_path, delay=delay, projection=projection, online=online)
    write_sherpa(device, tmp_path / "sherpa", "text")
    samples = loud()
    ours, theirs, known = heard(device, samples), told(tmp_path / "sherpa", samples), Recogniser(device)
    columns = _columns(tmp_path / "sherpa")
    assert ours.shape == (290 - delay, known.network.senones) and len(theirs) == len(ours)
    assert np.abs(ours).max() > 1
    scale = 16 / known.beams.beam
    assert np.abs(theirs[:, : ours.shape[1]] - scale * ours).max() < 1e-4
    assert theirs.shape[1] == len(columns) > ours.shape[1]


def _columns(folder: Path) -> list[str]:
    return [line.split()[0] for line in (folder / "tokens.txt").read_text().splitlines()]


@pytest.mark.parametrize("precision", ["int8-dynamic", "int8-static"])
def test_bytes_are_those_of_the_run_time(tmp_path: Path, precision: Precision) -> None:
    device = ship(tmp_path, precision, online=OnlineMean())
    write_sherpa(device, tmp_path / "sherpa", "ids")
    samples = loud()
    ours, theirs = heard(device, samples), told(tmp_path / "sherpa", samples)
    assert theirs.shape == ours.shape
    off = np.abs(theirs - 16 / Recogniser(device).beams.beam * ours).max(1)
    # A last bit of a log-mel may move an activation to the next of its steps, now and then.
    assert np.median(off) < 1e-4 and off.max() < 0.2


def all_that_graphs_have() -> DecodingGraph:
    """Several words on an arc, words at the end, and the same words on arcs of several senones."""
    a, b, ab, ba, base = 1, 2, 3, 4, 3
    arcs = [(0, 1, 1, a, 0.5), (0, 2, 2, 0, 0.2), (1, 1, 3, 0, 0.1), (2, 2, 4, 0, 0.1), (1, 2, 5, ab, 0.3)]
    arcs += [(2, 1, 1, b, 0.4), (2, 3, 6, ba, 0.6), (3, 3, 3, 0, 0.1), (3, 2, 5, 0, 0.2), (3, 1, 2, a, 0.2)]
    arcs += [(2, 2, 2, a, 0.1)]
    return toy.decoding_graph(arcs, {1: (0, 0.3), 2: (b, 0.1), 3: (ab, 0.2)}, [(1, 2), (2, 2, 1)], base)


@pytest.mark.parametrize("readable", [True, False])
def test_paths_are_the_same(tmp_path: Path, readable: bool) -> None:
    write_fst(all_that_graphs_have(), tmp_path / "ours.fst")
    names, sequences, scale, senones = ["<eps>", "A", "B"], [(1, 2), (2, 2, 1)], 16 / 20, 6
    made = sherpa_graph.as_sherpa(
        read_fst(tmp_path / "ours.fst"), sequences, len(names), senones, [3, 2], scale, readable
    )
    (tmp_path / "theirs.fst").write_bytes(to_bytes(made.fst))
    ours = Graph(tmp_path / "ours.fst", names, len(names), [list(words) for words in sequences], senones)
    theirs = Graph(tmp_path / "theirs.fst", names, len(names), [], len(made.columns))
    rng, texts = np.random.default_rng(0), set()
    for frames in [1, 2, 3] + [12] * 40:
        scores = rng.normal(size=(frames, senones)).astype(np.float32) * 2
        searches = Search(ours, Beams(20, 20, 1000)), Search(theirs, Beams(16, 20, 1000))
        searches[0](scores)
        searches[1](np.ascontiguousarray(np.float32(scale) * scores[:, made.columns]))
        one, other = (search.finish() for search in searches)
        assert one is not None and other is not None
        assert ours.text(one.words) == theirs.text(other.words)
        assert [int(made.columns[label]) for label in other.labels] == one.labels
        if readable:
            assert [names[word] for label in other.labels for word in made.said[label]] == ours.text(one.words)
        texts.add(tuple(one.words))
    assert len(texts) > 20
    assert made.blank == 2 and (len(made.columns) > senones) == readable


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_words_on_epsilons_come_to_arcs_that_hear_a_frame(tmp_path: Path, seed: int, readable: bool) -> None:
    """Of a graph with epsilons, of which the random one has several in a row, some of them at the start."""
    graph = DecodingGraph.of(random_arcs(seed), [], BASE)
    worded = (graph.labels == 0) & (graph.outputs > 0)
    assert worded.sum() > 1 and (worded[graph.sources == 0].any() or seed not in (0, 3))
    made = sherpa_graph.as_sherpa(as_fst(graph), [], BASE, 2, [1], 1.0, readable)
    (tmp_path / "theirs.fst").write_bytes(to_bytes(made.fst))
    names = [str(number) for number in range(BASE)]
    theirs, texts = Graph(tmp_path / "theirs.fst", names, BASE, [], len(made.columns)), set()
    wide, rng = KeptBeams(search=1e4, output=1e4, min_active=1, max_active=100_000), np.random.default_rng(seed)
    for frames in [1, 2, 3] + [7] * 20:
        scores = rng.normal(size=(frames, 2)).astype(np.float32) * 2
        ((expected,),) = search_part(graph, [torch.from_numpy(scores)], wide, [None], Wanted(path=True))
        other = Search(theirs, Beams(1e4, 1, 100_000))
        other(np.ascontiguousarray(scores[:, made.columns]))
        found = other.finish()
        assert (found is None) == expected.empty
        if found is not None:
            assert theirs.ids(found.words) == expected.words
            assert [int(made.columns[label]) for label in found.labels] == expected.path
            if readable:
                assert [word for label in found.labels for word in made.said[label]] == expected.words
            texts.add(tuple(expected.words))
    assert len(texts) > 3


def test_a_folder_with_a_mapped_graph_is_written_too(tmp_path: Path) -> None:
    ours = toy_recogniser.make(tmp_path / "recogniser", compact=True)
    (tmp_path / "mapped").mkdir()
    write_network("float32", ours.model, ours.normaliser, ours.tree.fingerprint, [], tmp_path / "mapped/network.onnx")
    write_graph(ours.compact, tmp_path / "mapped")
    seal_folder(ours, tmp_path / "mapped", graph=ours.compact)
    write_sherpa(tmp_path / "mapped", tmp_path / "sherpa", "text")
    columns, known = _columns(tmp_path / "sherpa"), Recogniser(tmp_path / "mapped")
    names = [line.split()[0] for line in (tmp_path / "sherpa/words.txt").read_text().splitlines()]
    theirs, texts = Graph(tmp_path / "sherpa/graph.fst", names, len(names), [], len(columns)), set()
    for seed in range(5):
        scores = told(tmp_path / "sherpa", np.append(toy_recogniser.noise(2.0, seed), np.zeros(8000, np.float32)))
        ours, other = known.graph.search(known.beams), Search(theirs, Beams(16.0, *known.beams[1:]))
        ours(known.beams.beam / 16 * scores[:, : known.network.senones])
        other(scores)
        expected, found = ours.finish(), other.finish()
        assert expected is not None and found is not None
        assert theirs.text(found.words) == known.graph.text(expected.words)
        texts.add(tuple(expected.words))
    assert len(texts) > 2


def test_the_rule_makes_words_of_tokens(tmp_path: Path) -> None:
    (tmp_path / "rule.fst").write_bytes(to_bytes(sherpa_text.rule("_")))
    rule = kaldifst.TextNormalizer(str(tmp_path / "rule.fst"))
    for text in ("", "   ", " A", "  A   B_C ", "A_B", "  é 日本_Übung  x  ", "a|b  'c"):
        assert rule(text) == " ".join(text.replace("_", " ").split())


def test_tokens_have_their_words_and_one_is_blank() -> None:
    assert sherpa_text.joining(["A", "B'S"]) == "_"
    assert sherpa_text.joining(["A_1"]) == "|"
    assert sherpa_text.tokens([(), (), ("A",), ("A", "B")], 1, "|") == "▁ 0\n<blk> 1\n▁A 2\n▁A|B 3\n"
    with pytest.raises(UserError, match="has to be free"):
        sherpa_text.joining(["_|~", "^\\;"])


def test_zeros_reach_past_the_last_frame() -> None:
    described = {"features": json.dumps({"stack": 3, "shift_s": 0.01}), "delay": "12"}
    assert silence_after(described) == pytest.approx(0.7)  # 0.36 late, 0.3 of a piece, and two frames


def test_the_step_makes_a_folder_of_each_precision(tmp_path: Path) -> None:
    device = ship(tmp_path / "networks", delay=12)
    command = [sys.executable, ROOT / "steps/ship_sherpa.py", "--networks", tmp_path / "networks"]
    done = subprocess.run(
        list(map(str, [*command, "--out", tmp_path / "out"])), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    files = {path.name for path in (tmp_path / "out/float32").iterdir()}
    assert files == {"model.onnx", "graph.fst", "tokens.txt", "words.txt", "rule.fst", "README.md"}
    page = (tmp_path / "out/float32/README.md").read_text()
    assert "np.zeros(11200, np.float32)" in page and "ctc_max_active=5000" in page
    with (device / "graph.fst").open("ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match="not the file"):
        write_sherpa(device, tmp_path / "again", "text")


def test_other_features_are_refused(tmp_path: Path) -> None:
    device = ship(tmp_path)
    network = onnx.load(device / "network.onnx")
    described = {one.key: one.value for one in network.metadata_props}
    described["features"] = json.dumps(json.loads(described["features"]) | {"low_hz": 60})
    onnx.helper.set_model_props(network, described)
    onnx.save(network, str(device / "network.onnx"))
    about = json.loads((device / "device.json").read_text())
    about["files"]["network.onnx"] = seal(device / "network.onnx")
    (device / "device.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match="low_hz must be 20 for sherpa-onnx's front end, got 60"):
        write_sherpa(device, tmp_path / "out", "text")


def test_no_networks_are_told_of(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "steps/ship_sherpa.py", "--networks", tmp_path, "--out", tmp_path / "out"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no folders of networks in it" in done.stderr
