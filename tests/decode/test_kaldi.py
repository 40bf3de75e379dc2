"""Our searches beside Kaldi's LatticeFasterDecoder: with beams that hold everything, the same paths."""

import numpy as np
import pytest
from tests.decode import beside_kaldi
from tests.decode.beside_kaldi import Limits, decoded, write_case
from tests.lang import toy

from understudy.lang.hclg import build_hclg

WIDE = Limits(search=1000.0, output=50.0, min_active=10, max_active=100_000)
SENONES, WORDS = 12, 20


def random_graph(seed):
    """States with loops, as an HCLG has; arcs with no word, one or (ids from WORDS on) two, on final arcs too."""
    rng = np.random.default_rng(seed)
    states, arcs, finals = 30, [], {}
    for state in range(states):
        if state:
            arcs.append((state, state, int(rng.integers(1, SENONES + 1)), 0, 0.7))
        targets = rng.choice(states - 1, 4, replace=False) + 1  # none enters the start
        words = rng.integers(1, WORDS + 3, 4) * (rng.random(4) < 0.4)
        arcs += [
            (state, int(t), int(rng.integers(1, SENONES + 1)), int(w), float(rng.exponential(2.0)))
            for t, w in zip(targets, words)
        ]
        if state % 5 == 4:
            finals[state] = (int(rng.integers(1, WORDS)) if state % 2 else 0, float(rng.exponential(2.0)))
    return toy.decoding_graph(arcs, finals, [(3, 1), (2, 2), (5, 7)], WORDS)


def random_scores(seed, lengths, senones=SENONES):
    rng = np.random.default_rng(100 + seed)
    return {f"u{i}": 2 * rng.standard_normal((n, senones), dtype=np.float32) for i, n in enumerate(lengths)}


@pytest.fixture(params=[pytest.param("k2", marks=pytest.mark.k2), "numpy"])
def search(request):
    return getattr(beside_kaldi, request.param)


def both(search, folder, graph, scores, limits=WIDE):
    write_case(folder, graph, scores)
    return search(folder, limits), decoded("kaldi", folder, limits)


@pytest.mark.parametrize("seed", range(3))
def test_random_graphs_give_the_same_words_at_the_same_cost(tmp_path, search, seed):
    ours, theirs = both(search, tmp_path, random_graph(seed), random_scores(seed, [40, 7, 90, 23, 60]))
    assert ours.words == theirs.words and any(len(words) > 5 for words in ours.words.values())
    assert ours.costs == pytest.approx(theirs.costs, abs=1e-3)
    assert ours.empty == theirs.empty == 0


def test_a_graph_of_words_and_silence(tmp_path, search):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=True)
    graph = build_hclg(lexicon, toy.write_arpa(tmp_path), tree)
    scores = random_scores(0, [30, 12, 3], tree.num_senones)
    silent = np.full((20, tree.num_senones), -50.0, dtype=np.float32)
    for frame in range(20):
        silent[frame, tree.senone(0, lexicon.silence, 0, min(frame, 1))] = 0.0
    ours, theirs = both(search, tmp_path / "case", graph, {**scores, "silent": silent})
    assert ours.words == theirs.words
    assert ours.costs == pytest.approx(theirs.costs, abs=1e-3)


def test_a_beam_too_small_and_an_end_outside_the_graph_are_counted(tmp_path, search):
    # 0 -(a)-> 1 -(b)-> 2, the end, with loops: two frames or more.
    arcs = [(0, 1, 1, 7, 0.0), (1, 1, 1, 0, 0.0), (1, 2, 2, 8, 0.0), (2, 2, 2, 0, 0.0)]
    graph = toy.decoding_graph(arcs, {2: (0, 0.0)}, [], WORDS)
    scores = {
        "whole": np.zeros((6, 2), np.float32),
        "late": np.array([[0, -9]] * 6, np.float32),  # the end costs 9, more than the beam
        "cut": np.zeros((1, 2), np.float32),  # too short to reach the end
    }
    ours, theirs = both(search, tmp_path, graph, scores, Limits(search=1.0, output=1.0, min_active=1, max_active=100))
    assert ours.words == theirs.words == {"whole": [7, 8], "late": [7, 8], "cut": []}
    assert ours.costs["cut"] == theirs.costs["cut"] == float("inf")
    # With numpy as with Kaldi the one active state more that is kept is that of the end.
    retried = {"k2": 2, "numpy": 1}[search.__name__]
    assert (ours.empty, ours.retried, theirs.empty) == (1, retried, 1)
