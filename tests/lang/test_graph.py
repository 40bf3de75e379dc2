"""Graphs against enumeration, and against posteriors that say exactly one sentence."""

import itertools

import kaldifst
import numpy as np
import pytest
import torch
from tests.lang import toy
from tests.lang.enumeration import FRAMES, columns, enumerated, rows, through_graph

from understudy.align.graph import ENTRY_LOOP, alignment_graph
from understudy.align.viterbi import viterbi
from understudy.decode.lattice import nbest
from understudy.decode.numpy_search import search_part
from understudy.decode.options import Beams
from understudy.decode.search import Wanted
from understudy.device.places import Places
from understudy.lang.graph import (
    GRAPH_FILES,
    DecodingGraph,
    check_graph,
    load_graph,
    save_graph,
    with_word_cost,
    word_counts,
    words_of,
)
from understudy.lang.hclg import build_hclg, build_with_places
from understudy.step import UserError

try:
    import k2

    from understudy.decode.k2_search import to_k2
except ImportError:  # the tests that need it are skipped
    k2 = to_k2 = None


def all_transcripts(lexicon):
    return [w for n in range(FRAMES + 1) for w in itertools.product(lexicon.vocabulary, repeat=n)]


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_hclg_equals_enumeration(tmp_path, shared, right):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared, right)
    graph = build_hclg(lexicon, toy.write_arpa(tmp_path), tree)
    found = through_graph(graph, lambda a: [lexicon.words[i] for i in words_of(graph, a)])
    expected = enumerated(lexicon, tree, all_transcripts(lexicon), True)
    expected = {k: v for k, v in expected.items() if len(k[0]) > 0}
    found = {k: v for k, v in found.items() if len(k[0]) > 0}
    assert found.keys() == expected.keys()
    assert max(abs(found[k] - expected[k]) for k in expected) < 0.01  # minimisation rounds costs to 1/1024


def test_without_classes_and_new_words_there_are_no_places(tmp_path):
    lexicon, arpa, tree = toy.lexicon(), toy.write_arpa(tmp_path), toy.ToyTree(shared=False)
    graph, places, _ = build_with_places(lexicon, arpa, tree, new=0)
    whole = build_hclg(lexicon, arpa, tree)
    for name in ("sources", "targets", "labels", "outputs", "scores"):
        assert np.array_equal(getattr(graph, name), getattr(whole, name))
    places.dearer(1.0).save(tmp_path / "places.npz")
    read = Places.read(tmp_path / "places.npz")
    assert (read.names, read.states, len(read.table), len(read.ends)) == ([], graph.states - 1, 0, 0)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_the_compact_graph_has_epsilons_and_says_the_same(tmp_path, shared, right):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared, right)
    graph, _, compact = build_with_places(lexicon, toy.write_arpa(tmp_path), tree, new=0)
    assert (compact.labels == 0).any() and len(compact.labels) < len(graph.labels)
    save_graph(compact, tmp_path / "compact")
    read, wide = load_graph(tmp_path / "compact"), Beams(search=1e4, output=8.0, min_active=1, max_active=100_000)
    for length in (1, 4, 9):
        scores = torch.randn(length, tree.num_senones, generator=torch.Generator().manual_seed(length))
        ours, other = (
            search_part(one, [scores], wide, [None], Wanted(lattice=True, path=True))[0][0] for one in (read, graph)
        )
        assert (ours.words, ours.path) == (other.words, other.path)
        made, expected = ({tuple(w): cost for w, cost in nbest(one.lattice, 30)} for one in (ours, other))
        assert sorted(made.values()) == pytest.approx(
            sorted(expected.values()), abs=0.02
        )  # costs are rounded to 1/1024


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("words", [("A",), ("AB", "B"), ("B", "A", "B")])
def test_viterbi_alignment_equals_enumeration(words, shared):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared)
    pronunciations = [[list(p) for p in lexicon.pronunciations[w]] for w in words]
    graph = alignment_graph(pronunciations, lexicon.silence, ENTRY_LOOP, tree.senone)
    torch.manual_seed(0)
    score = torch.randn(FRAMES, tree.num_senones)
    path, best = viterbi([graph], [score])[0]
    every = [k[0] for k in enumerated(lexicon, tree, [words], False) if len(k[0]) == FRAMES]
    assert best == pytest.approx(max(sum(float(score[t, x - 1]) for t, x in enumerate(k)) for k in every), abs=1e-4)
    assert tuple(graph.labels[path] + 1) in set(every)


def posteriors(labels, senones):
    dense = torch.full((1, len(labels), senones + 1), -10.0)
    dense[:, :, 0] = -1e30
    for frame, label in enumerate(labels):
        dense[0, frame, label] = 0.0
    return k2.DenseFsaVec(dense, torch.tensor([[0, 0, len(labels)]], dtype=torch.int32))


@pytest.mark.k2
def test_perfect_posteriors_decode_to_the_words(tmp_path):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    graph = build_hclg(lexicon, toy.write_arpa(tmp_path), tree)
    phones = ["a", "b", "SIL", "b", "a", "b", "c"]  # AB B AB B
    padded = [0, *(lexicon.phone_ids[p] for p in phones), 0]
    labels = []
    for i in range(len(phones)):
        labels += [tree.senone(*padded[i : i + 3], min(f, 1)) + 1 for f in range(1 + i % 3)]
    lattice = k2.intersect_dense_pruned(
        k2.create_fsa_vec([to_k2(graph)]), posteriors(labels, tree.num_senones), 20.0, 8.0, 30, 10000
    )
    best = k2.shortest_path(lattice, use_double_scores=True)
    words = [lexicon.words[i] for i in words_of(graph, best[0].aux_labels.tolist())]
    assert words in (["AB", "B", "AB", "B"], ["A", "B", "B", "AB", "B"])
    assert best[0].labels.tolist()[:-1] == labels


def test_words_cost_more_wherever_they_stand(tmp_path):
    """Also on arcs that carry two."""
    graph = build_hclg(toy.lexicon(), toy.write_arpa(tmp_path), toy.ToyTree(shared=False))
    counts, dearer = word_counts(graph, graph.outputs), with_word_cost(graph, 1.5)
    expected = [len(words_of(graph, [output])) for output in graph.outputs.tolist()]
    assert counts.tolist() == expected and {0, 1} <= set(expected)
    assert np.allclose(graph.scores - dearer.scores, 1.5 * counts, atol=1e-5)
    assert dearer.word_sequences == graph.word_sequences and with_word_cost(graph, 0.0) is graph


ARCS = [(0, 2, 5, 0, 0.25), (0, 1, 3, 7, 1.5), (1, 1, 4, 0, 0.7), (1, 2, 4, 11, 0.0), (2, 1, 1, 12, -0.1)]
FINALS = {2: (0, 0.125), 1: (12, 2.0)}


def small() -> DecodingGraph:
    """An end with words and one without, arcs with a word, with several, without."""
    return toy.decoding_graph(ARCS, FINALS, [(1, 2), (3, 3, 4)], 11)


def test_arcs_stand_in_the_order_that_searches_want():
    assert [row[:4] for row in rows(small())] == [
        (0, 1, 3, 7), (0, 2, 5, 0), (1, 1, 4, 0), (1, 2, 4, 11), (1, 3, -1, 12), (2, 1, 1, 12), (2, 3, -1, -1),
    ]  # fmt: skip
    assert small().states == 4 and small().scores.tolist() == pytest.approx([-1.5, -0.25, -0.7, 0, -2, 0.1, -0.125])


@pytest.mark.parametrize("made", ["small", "hclg"])
def test_a_graph_is_read_as_it_was_written(tmp_path, made):
    hclg = made == "hclg"
    graph = build_hclg(toy.lexicon(), toy.write_arpa(tmp_path), toy.ToyTree(shared=True)) if hclg else small()
    save_graph(graph, tmp_path, "one")
    again = load_graph(tmp_path, "one")
    for one, other in zip(columns(graph), columns(again), strict=True):
        assert one.dtype == other.dtype and np.array_equal(one, other)
    assert again.word_sequences == graph.word_sequences and again.sequence_base == graph.sequence_base


def test_openfst_reads_the_same_graph(tmp_path):
    """Finals are weights, and an end with words is an arc without input."""
    save_graph(small(), tmp_path)
    read = kaldifst.StdVectorFst.read(str(tmp_path / "HCLG.fst"))
    expected = kaldifst.compile(
        "0 1 3 7 1.5\n0 2 5 0 0.25\n1 1 4 0 0.7\n1 2 4 11 0\n1 3 0 12 2\n2 1 1 12 -0.1\n2 0.125\n3 0\n"
    )
    assert read.to_str() == expected.to_str()


def test_graphs_that_cannot_be_used_say_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"HCLG\.fst: no such graph. Make it with steps/make_graph\.py"):
        load_graph(tmp_path)
    (tmp_path / "HCLG.safetensors").write_bytes(b"old")
    with pytest.raises(UserError, match=r"HCLG\.safetensors: a graph as earlier versions stored it.* make it anew"):
        load_graph(tmp_path)
    save_graph(small(), tmp_path, "one")
    assert check_graph(tmp_path, None)["tree"] == "one"
    with pytest.raises(UserError, match=r"HCLG\.fst: its senones are those of the tree one, the model's .* other"):
        load_graph(tmp_path, "other")
    whole, about = ((tmp_path / name).read_bytes() for name in GRAPH_FILES)
    for fst, told, said in (
        (whole[:-4], about, "has 2.. bytes, not the 2.. that HCLG.json tells of. Make it anew"),
        (b"?" + whole[1:], about, "HCLG.fst: cannot be read .*Make it anew with steps/make_graph.py"),
        (whole, b"{}", "HCLG.json: describes no graph of this project"),
        (whole, b"[1]", "HCLG.json: describes no graph of this project"),
        (whole, about[:-9], "HCLG.json"),
        (whole, None, "HCLG.json: no such graph"),
    ):
        (tmp_path / "HCLG.fst").write_bytes(fst)
        (tmp_path / "HCLG.json").unlink() if told is None else (tmp_path / "HCLG.json").write_bytes(told)
        with pytest.raises(UserError, match=said):
            load_graph(tmp_path)
