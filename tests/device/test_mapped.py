"""A graph that is mapped from its files is searched as the same one that is read, and what is wrong with it is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.ship import toy_recogniser

from understudy.device.best_path import Beams, Best
from understudy.device.errors import DeviceError
from understudy.device.files import ARCS, DESCRIPTION, GRAPH, STATES
from understudy.device.mapped import MappedGraph, read_mapped, write_mapped
from understudy.device.net import ArrayNet
from understudy.device.recogniser import Recogniser
from understudy.device.search import Graph
from understudy.device.wishes import Wishes
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.quantise import write_network
from understudy.step import read_json, write_json

BEAMS = Beams(12.0, 5, 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`read` has its graph in OpenFst's format, without epsilons; that of `mapped` has them."""
    folder = tmp_path_factory.mktemp("made")
    ours = toy_recogniser.make(folder / "recogniser", compact=True)
    assert ours.compact is not None
    for name, graph in (("read", ours.graph), ("mapped", ours.compact)):
        (folder / name).mkdir()
        write_network("float32", ours.model, ours.normaliser, ours.tree.fingerprint, [], folder / name / "network.onnx")
        write_graph(graph, folder / name)
        seal_folder(ours, folder / name, graph=graph)
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "mapped", tmp_path / "mapped"))


def test_the_folder_has_the_one_graph_and_no_other(made: Path, copied: Path) -> None:
    assert {ARCS, STATES} <= read_json(copied / DESCRIPTION)["files"].keys() and not (copied / GRAPH).exists()
    shutil.copytree(copied, other := copied.parent / "other")
    write_graph(toy_recogniser.Recogniser(made / "recogniser").graph, copied, other)
    for folder in (copied, other):
        assert (folder / GRAPH).exists() and not (folder / ARCS).exists() and not (folder / STATES).exists()


def test_all_arcs_come_back_and_costs_to_a_thousandth_of_a_nat(made: Path, tmp_path: Path) -> None:
    graph = toy_recogniser.Recogniser(made / "recogniser").compact
    assert graph is not None
    write_mapped(graph, tmp_path)
    expected, found = (
        ArrayNet.of(graph),
        MappedGraph(tmp_path, ["<eps>"] * graph.sequence_base, graph.sequence_base, [], 99).net,
    )
    arcs, states = np.arange(len(expected.every.targets)), np.arange(graph.states)
    for name in ("epsilons", "with_input"):
        assert np.array_equal(getattr(found, name)(states), getattr(expected, name)(states))
    taken, wanted, spoken = found.arcs(arcs), expected.every, expected.every.senones >= 0
    assert np.array_equal(taken.targets(arcs), wanted.targets) and np.array_equal(taken.outputs(arcs), wanted.outputs)
    assert np.array_equal(taken.senones[spoken], wanted.senones[spoken]) and not spoken.all()
    assert taken.costs == pytest.approx(wanted.costs, abs=0.51 / 1024)
    assert found.ends(states)[0] == pytest.approx(expected.final_costs, abs=0.51 / 1024)


def test_the_graph_is_read_back_whole(made: Path) -> None:
    graph = toy_recogniser.Recogniser(made / "recogniser").compact
    assert graph is not None
    again = read_mapped(made / "mapped", [], graph.sequence_base)
    for name in ("sources", "targets", "labels", "outputs"):
        assert np.array_equal(getattr(again, name), getattr(graph, name)), name
    assert again.scores == pytest.approx(graph.scores, abs=0.51 / 1024)


def test_both_hear_the_same_words_whole_and_in_pieces(made: Path) -> None:
    read, mapped = (Recogniser(made / name, sure=True) for name in ("read", "mapped"))
    several = 0
    for seed in range(6):
        samples = toy_recogniser.noise(2.5, seed)
        expected, found = read.whole(samples), mapped.whole(samples)
        assert found.words == expected.words and found.empty == expected.empty
        assert found.sure == pytest.approx(expected.sure, abs=0.25)  # a hundred draws of one lattice, in another order
        several += len(found.words) > 1
        piece = mapped.utterance()
        for begin in range(0, len(samples), 4000):
            piece.hear(samples[begin : begin + 4000])
        assert piece.so_far().words and piece.finish().words == found.words
    assert several > 3


def test_where_no_end_is_found_the_beams_are_doubled_twice(made: Path) -> None:
    """As Kaldi's decoder does here: no frame, beams that lose the end and find it, and scores that allow nothing."""
    senones, both = 2 * 4, [read_json(made / name / DESCRIPTION) for name in ("mapped", "read")]
    words = [(about["words"], about["sequence_base"], about["sequences"]) for about in both]
    graphs = MappedGraph(made / "mapped", *words[0], senones), Graph(made / "read" / GRAPH, *words[1], senones)
    rng, widened = np.random.default_rng(0), 0
    for graph in graphs:
        assert graph.search(BEAMS).finish() == Best([], [])
    for _ in range(30):
        scores = rng.normal(0, 3, (7, senones)).astype(np.float32)
        narrow = graphs[0].search(Beams(0.7, 1, 2))
        narrow(scores)
        found = narrow.finish()
        widened += narrow.widened
        if found is not None:
            assert len(found.labels) == 7
        wide = [graph.search(BEAMS) for graph in graphs]
        for search in wide:
            search(scores)
        best = [search.finish() for search in wide]
        assert best[0].labels == best[1].labels and not wide[0].widened
        assert graphs[0].text(best[0].words) == graphs[1].text(best[1].words)
    assert 3 < widened < 30
    silent = graphs[0].search(BEAMS)
    silent(np.full((3, senones), -np.inf, np.float32))
    assert silent.finish() is None and silent.so_far() is None and silent.widened


def test_sentences_alone_are_heard_and_words_find_no_place(made: Path, tmp_path: Path) -> None:
    (tmp_path / "grammar.txt").write_text("A B\n")
    (tmp_path / "words.txt").write_text("AC a c\n")
    assert set(Recogniser(made / "mapped", wishes=Wishes(grammar=tmp_path / "grammar.txt")).whole(
        toy_recogniser.noise(2.0, 1)).words) <= {"A", "B"}  # fmt: skip
    with pytest.raises(DeviceError, match="of a large vocabulary, has no place for --words"):
        Recogniser(made / "mapped", wishes=Wishes(words=tmp_path / "words.txt"))


def sealed(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """The folder with another array, which its description knows."""
    from understudy.device.files import seal

    np.save(folder / name, change(np.load(folder / name)))
    about = read_json(folder / DESCRIPTION)
    write_json(folder / DESCRIPTION, about | {"files": about["files"] | {name: seal(folder / name)}})


def of(column: str, value: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[column][len(array) // 2] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (ARCS, of("target", 4_000_000), "has arcs of state 4000000, and there are"),
        (ARCS, of("senone", 60_000), "has arcs of senone 60000, and there are 8"),
        (ARCS, of("output", 70_000), "has arcs of word 70000, and there are"),
        (ARCS, lambda arcs: arcs[:-1], "tells of other arcs than the"),
        (ARCS, lambda arcs: arcs["cost"].copy(), "holds int16, which is no part of a graph"),
        (STATES, lambda states: states[:0], "which is no part of a graph"),
        (STATES, of("silent", 999), "tells of other arcs than the"),
        (STATES, lambda states: states[1:], "tells of other arcs than the"),
    ],
)
def test_what_is_no_graph_is_told(copied: Path, name: str, change: Callable, said: str) -> None:
    sealed(copied, name, change)
    with pytest.raises(DeviceError, match=said):
        Recogniser(copied)


def test_a_file_that_is_cut_off_or_gone_is_told(copied: Path) -> None:
    whole = (copied / ARCS).read_bytes()
    (copied / ARCS).write_bytes(whole[:-5])
    with pytest.raises(DeviceError, match=r"arcs\.npy: cut off"):
        Recogniser(copied)
    (copied / ARCS).unlink()
    with pytest.raises(DeviceError, match=r"arcs\.npy: no such file"):
        Recogniser(copied)
