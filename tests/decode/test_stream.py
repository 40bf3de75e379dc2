"""Search piece by piece: the partial words are the best so far, the last are those of the whole."""

import pytest
import torch
from tests.lang import toy

from understudy.decode.options import Beams
from understudy.decode.search import Wanted, search
from understudy.decode.stream import SearchStream, trailing
from understudy.lang.graph import DecodingGraph, words_of
from understudy.lang.hclg import build_hclg

try:
    import k2

    from understudy.decode import k2_search
    from understudy.decode.k2_search import Online, as_vector
except ImportError:  # the tests that need it are skipped
    k2 = k2_search = Online = as_vector = None

WIDE = Beams(search=1000.0, output=1000.0, max_active=100000)


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    return tree, build_hclg(lexicon, toy.write_arpa(tmp_path_factory.mktemp("lm")), tree)


def best_so_far(graph: DecodingGraph, scores: torch.Tensor) -> tuple[float, list[int]]:
    """By dynamic programming over all states: score and labels of the best path that may end anywhere."""
    columns = (graph.sources, graph.targets, graph.labels, graph.scores, graph.outputs)
    arcs = list(zip(*(column.tolist() for column in columns)))
    best = {0: (0.0, [], [])}
    for frame in scores.tolist():
        after: dict[int, tuple[float, list[int], list[int]]] = {}
        for source, target, label, cost, word in arcs:
            if source in best and label > 0:
                total = best[source][0] + cost + frame[label - 1]
                if target not in after or total > after[target][0]:
                    after[target] = (total, [*best[source][1], word], [*best[source][2], label - 1])
        best = after
    return max(best.values())[1:]


@pytest.mark.parametrize("engine", [pytest.param("k2", marks=pytest.mark.k2), "numpy"])
@pytest.mark.parametrize("piece", [1, 2, 5, 100])
def test_partial_words_are_the_best_so_far_and_the_last_those_of_the_whole(language, piece, engine):
    tree, graph = language
    several = 0
    for seed in range(4):
        torch.manual_seed(seed)
        scores = 3 * torch.randn(17 + seed, tree.num_senones)
        stream = SearchStream(graph, WIDE, news=1000.0, engine=engine)
        for begin in range(0, len(scores), piece):
            stream(scores[begin : begin + piece])
            words, senones = best_so_far(graph, scores[: begin + piece])
            assert stream.words == words_of(graph, words) and stream.senones == senones
        stream(scores[:0])
        found = stream.finish(Wanted(draws=3))
        assert found.words == search(graph, [scores], WIDE, engine)[0].words and len(found.drawn) == 3
        assert torch.equal(stream.scores, scores)
        several += len(found.words) > 1
    assert several


@pytest.mark.k2
def test_older_releases_go_on_only_from_final_states(language, monkeypatch):
    """Why `endless` is there, and for which releases: those that begin a stream with None."""
    tree, graph = language
    torch.manual_seed(0)
    scores = 3 * torch.randn(12, tree.num_senones)
    monkeypatch.setattr(k2_search, "_as_endless", as_vector)
    online = Online(graph, WIDE)
    online(scores[:5])
    whole = k2.shortest_path(k2_search.lattices(graph, [scores], WIDE), use_double_scores=True)
    goes_on = online(scores[5:])[1] == [label - 1 for label in whole.labels.tolist() if label > 0]
    assert goes_on == (k2_search._beginning() is not None)


@pytest.mark.parametrize("engine", [pytest.param("k2", marks=pytest.mark.k2), "numpy"])
def test_a_lost_path_is_searched_again_and_silence_before_any_frame_is_empty(language, engine):
    tree, graph = language
    nothing = SearchStream(graph, WIDE, engine=engine).finish(Wanted())
    assert nothing.empty and not nothing.words
    stream = SearchStream(graph, Beams(5.0, 5.0, 1, 100), engine=engine)
    torch.manual_seed(1)
    scores = torch.randn(9, tree.num_senones)
    for piece in (scores[:4], torch.full((2, tree.num_senones), -1e30), scores[6:]):
        stream(piece)
    found = stream.finish(Wanted())
    assert found.empty and found.retried and not found.words


def test_trailing_frames():
    assert [trailing(s, frozenset({0, 1})) for s in ([], [0, 1], [2, 0, 1, 1], [0, 2])] == [0, 2, 3, 0]
