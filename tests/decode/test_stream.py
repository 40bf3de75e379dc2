"""Search piece by piece: the partial words are the best so far, the last are those of the whole."""

import sys
from pathlib import Path

import k2
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "lang"))
import toy

from understudy.decode.search import Beams, Wanted, dense, search
from understudy.decode.stream import SearchStream, online_graph, trailing
from understudy.lang.graph import words_of
from understudy.lang.hclg import build_hclg

WIDE = Beams(search=1000.0, output=1000.0, max_active=100000)


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    return tree, build_hclg(lexicon, toy.write_arpa(tmp_path_factory.mktemp("lm")), tree)


def best_so_far(graph: k2.Fsa, scores: torch.Tensor) -> tuple[float, list[int]]:
    """By dynamic programming over all states: score and labels of the best path that may end anywhere."""
    arcs, costs = graph.arcs.values()[:, :3].tolist(), graph.scores.tolist()
    best = {0: (0.0, [], [])}
    for frame in scores.tolist():
        after: dict[int, tuple[float, list[int], list[int]]] = {}
        for (source, target, label), cost, word in zip(arcs, costs, graph.aux_labels.tolist()):
            if source in best and label > 0:
                total = best[source][0] + cost + frame[label - 1]
                if target not in after or total > after[target][0]:
                    after[target] = (total, [*best[source][1], word], [*best[source][2], label - 1])
        best = after
    return max(best.values())[1:]


@pytest.mark.parametrize("piece", [1, 2, 5, 100])
def test_partial_words_are_the_best_so_far_and_the_last_those_of_the_whole(language, piece):
    tree, graph = language
    online, several = online_graph(graph), 0
    for seed in range(4):
        torch.manual_seed(seed)
        scores = 3 * torch.randn(17 + seed, tree.num_senones)
        stream = SearchStream(graph, online, WIDE, news=1000.0)
        for begin in range(0, len(scores), piece):
            stream(scores[begin : begin + piece])
            words, senones = best_so_far(graph, scores[: begin + piece])
            assert stream.words == words_of(graph, words) and stream.senones == senones
        stream(scores[:0])
        found = stream.finish(Wanted(draws=3))
        assert found.words == search(graph, [scores], WIDE)[0].words and len(found.drawn) == 3
        assert torch.equal(stream.scores, scores)
        several += len(found.words) > 1
    assert several


def test_the_library_goes_on_only_from_final_states(language):
    """Why `online_graph` is there: once k2 goes on from any state, it can go."""
    tree, graph = language
    torch.manual_seed(0)
    scores = 3 * torch.randn(12, tree.num_senones)
    intersecter = k2.OnlineDenseIntersecter(k2.create_fsa_vec([graph]), 1, 1000.0, 1000.0, 30, 100000)
    _, states = intersecter.decode(dense([scores[:5]]), [None])
    lattice, _ = intersecter.decode(dense([scores[5:]]), states)
    whole = k2.shortest_path(_whole(graph, scores), use_double_scores=True)
    got = k2.shortest_path(lattice, use_double_scores=True)
    assert got.labels.tolist() != whole.labels.tolist()


def _whole(graph: k2.Fsa, scores: torch.Tensor) -> k2.Fsa:
    return k2.intersect_dense_pruned(k2.create_fsa_vec([graph]), dense([scores]), 1000.0, 1000.0, 30, 100000)


def test_a_lost_path_is_searched_again_and_silence_before_any_frame_is_empty(language):
    tree, graph = language
    online = online_graph(graph)
    nothing = SearchStream(graph, online, WIDE).finish(Wanted())
    assert nothing.empty and not nothing.words
    stream = SearchStream(graph, online, Beams(5.0, 5.0, 1, 100))
    torch.manual_seed(1)
    scores = torch.randn(9, tree.num_senones)
    for piece in (scores[:4], torch.full((2, tree.num_senones), -1e30), scores[6:]):
        stream(piece)
    found = stream.finish(Wanted())
    assert found.empty and found.retried and not found.words


def test_trailing_frames():
    assert [trailing(s, frozenset({0, 1})) for s in ([], [0, 1], [2, 0, 1, 1], [0, 2])] == [0, 2, 3, 0]
