"""The search with numpy against brute force over all paths, and beside k2's where a beam cuts."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from tests.decode.test_kaldi import SENONES, random_graph, random_scores
from tests.device.test_graph_arcs import BASE, random_arcs
from tests.lang import toy

from understudy.decode.lattice import nbest
from understudy.decode.numpy_search import Online, lattice, search_part, word_lattice
from understudy.decode.options import Beams
from understudy.decode.search import Rescale, Wanted, occupancies, search, search_each
from understudy.device import tokens as module
from understudy.device.graph_arcs import with_one_end_each, without_input_epsilons
from understudy.device.net import ArrayNet
from understudy.device.tokens import TokenSearch
from understudy.lang.graph import DecodingGraph, words_of

WIDE = Beams(search=1e4, output=1e4, min_active=1, max_active=100_000)
NARROW = Beams(search=7.0, output=4.0, min_active=3, max_active=12)
LENGTHS = [5, 1, 4, 6]


def scores_of(seed: int, lengths: list[int] = LENGTHS) -> list[torch.Tensor]:
    return [torch.from_numpy(one) for one in random_scores(seed, lengths).values()]


def every_path(graph: DecodingGraph, scores: torch.Tensor) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Score, words and senones of each path through the whole utterance."""
    columns = (graph.sources, graph.targets, graph.labels, graph.outputs, graph.scores)
    out: dict[int, list] = {}
    for source, target, label, output, score in zip(*(column.tolist() for column in columns)):
        out.setdefault(source, []).append((target, label, output, score))
    paths, frames = [(0, 0.0, (), ())], scores.tolist()
    for frame in frames:
        paths = [
            (target, total + score + frame[label - 1], (*outputs, output), (*senones, label - 1))
            for state, total, outputs, senones in paths
            for target, label, output, score in out[state]
            if label > 0
        ]
    return [
        (total + score, tuple(words_of(graph, (*outputs, output))), senones)
        for state, total, outputs, senones in paths
        for _, label, output, score in out[state]
        if label < 0
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_best_path_and_the_lattice_are_those_of_brute_force(seed):
    graph, found_some = random_graph(seed), 0
    for scores in scores_of(seed):
        ((found,),) = search_part(graph, [scores], WIDE, [None], Wanted(lattice=True, path=True))
        expected = every_path(graph, scores)
        assert found.empty == (not expected)
        if not expected:
            continue
        best = max(expected)
        assert (tuple(found.words), tuple(found.path)) == best[1:]
        kept = lattice(graph, scores, WIDE)
        ((_, score),) = kept.best((kept.graph + kept.acoustic)[None])
        assert score == pytest.approx(best[0], abs=1e-4)
        least: dict[tuple[int, ...], float] = {}
        for total, words, _ in expected:
            least[words] = min(-total, least.get(words, math.inf))
        made = {tuple(words): cost for words, cost in nbest(found.lattice, len(least) + 5)}
        assert made.keys() == least.keys()
        assert all(made[words] == pytest.approx(cost, abs=2e-3) for words, cost in least.items())
        found_some += 1
    assert found_some >= 2


def with_and_without_epsilons(seed: int) -> tuple[DecodingGraph, DecodingGraph]:
    arcs = random_arcs(seed)
    without, sequences = without_input_epsilons(arcs, BASE)
    return DecodingGraph.of(arcs, [], BASE), DecodingGraph.of(with_one_end_each(without), sequences, BASE)


@pytest.mark.parametrize("seed", range(6))
def test_a_graph_with_epsilons_is_searched_as_the_same_one_without(seed):
    """Words of epsilons included, of which the random graph has several in a row, also before an end."""
    drawn = torch.Generator().manual_seed(seed)
    graphs, several = with_and_without_epsilons(seed), 0
    assert (graphs[0].labels == 0).any() and not (graphs[1].labels == 0).any()
    for length in (1, 3, 6):
        scores = torch.randn(length, 2, generator=drawn)
        ((ours,),), ((other,),) = (
            search_part(graph, [scores], WIDE, [None], Wanted(lattice=True, path=True)) for graph in graphs
        )
        assert (ours.empty, ours.words, ours.path) == (other.empty, other.words, other.path)
        if ours.empty:
            continue
        made, expected = ({tuple(w): cost for w, cost in nbest(one.lattice, 40)} for one in (ours, other))
        costs = sorted(expected.values())
        assert sorted(made.values()) == pytest.approx(costs, abs=1e-3)
        sure = [words for words, cost in expected.items() if cost < costs[-1] - 1e-2]  # of 40, the last may differ
        assert len(sure) > 2 and all(made[words] == pytest.approx(expected[words], abs=1e-3) for words in sure)
        several += any(number >= BASE for number in lattice(graphs[0], scores, WIDE).outputs)
    assert several


@pytest.mark.parametrize("seed", range(4))
def test_best_paths_so_far_and_narrow_beams_pass_epsilons_too(seed):
    scores = torch.randn(8, 2, generator=torch.Generator().manual_seed(seed))
    ours, other = (Online(graph, WIDE) for graph in with_and_without_epsilons(seed))
    for begin in range(0, 8, 2):
        heard = [one(scores[begin : begin + 2]) for one in (ours, other)]
        said = [None if one is None else one[1] for one in heard]
        assert said[0] == said[1]
    best = Beams(search=8.0, output=0.0, min_active=1, max_active=100)
    (wide, alone) = (lattice(with_and_without_epsilons(seed)[0], scores, beams) for beams in (WIDE, best))
    assert len(alone.targets) == 9  # one path, and an end
    ((path, score),) = wide.best((wide.graph + wide.acoustic)[None])
    ((_, again),) = alone.best((alone.graph + alone.acoustic)[None])
    assert again == pytest.approx(score, abs=1e-4) and alone.senones.tolist() == wide.senones[path].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_a_lattice_holds_what_is_within_its_beam_and_no_more(seed):
    graph, (scores,) = random_graph(seed), scores_of(seed, [6])
    paths = every_path(graph, scores)
    best = max(paths)[0]
    kept = lattice(graph, scores, Beams(search=1e4, output=3.0, min_active=1, max_active=100_000))
    within = Counter(senones for total, _, senones in paths if total >= best - 3.0 + 1e-3)
    held = every_path_of(kept)
    assert within.keys() <= held and len(within) < len(paths)
    through = best_through(kept)
    assert through.min() >= best - 3.0 - 1e-3


def every_path_of(kept) -> set[tuple[int, ...]]:
    """Senones of each path of a lattice."""
    out: dict[int, list[tuple[int, int]]] = {}
    for source, target, senone in zip(kept.sources.tolist(), kept.targets.tolist(), kept.senones.tolist()):
        out.setdefault(source, []).append((target, senone))
    paths = [(0, ())]
    while paths[0][0] != kept.states - 1:
        paths = [(target, (*said, senone)) for state, said in paths for target, senone in out[state]]
    return {said[:-1] for _, said in paths}


def best_through(kept) -> np.ndarray:
    """Score of the best path through each arc."""
    scores, forward = kept.graph + kept.acoustic, np.full(kept.states, -np.inf)
    backward = forward.copy()
    forward[0] = backward[-1] = 0.0
    for s, t, w in zip(kept.sources, kept.targets, scores):
        forward[t] = max(forward[t], forward[s] + w)
    for s, t, w in zip(kept.sources[::-1], kept.targets[::-1], scores[::-1]):
        backward[s] = max(backward[s], backward[t] + w)
    return forward[kept.sources] + scores + backward[kept.targets]


def test_rescaled_best_paths_are_exact_on_all_paths():
    graph, draw, different = random_graph(1), torch.Generator().manual_seed(3), 0
    rescales = [
        Rescale(factor, torch.randn(SENONES, generator=draw), word)
        for factor, word in itertools.product((0.3, 1.0, 2.5), (-1.0, 0.0, 1.5))
    ]
    for scores in scores_of(1):
        of_graph = every_path(graph, torch.zeros_like(scores))
        if not of_graph:
            continue
        (found,) = search_part(graph, [scores], WIDE, rescales, Wanted(path=True))
        for one, rescale in zip(found, rescales, strict=True):
            changed = (rescale.factor * scores + rescale.offset).numpy()
            expected = max(
                (score + float(changed[range(len(path)), path].sum()) - rescale.word * len(words), words, path)
                for score, words, path in of_graph
            )
            assert (tuple(one.words), tuple(one.path)) == expected[1:]
            different += one.words != found[0].words
    assert different


def test_sequences_are_drawn_as_often_as_they_are_probable_and_alike_each_time():
    graph, (scores,) = random_graph(2), scores_of(2, [5])
    paths = every_path(graph, scores)
    total = math.log(sum(math.exp(p[0]) for p in paths))
    exact: Counter = Counter()
    for score, words, _ in paths:
        exact[words] += math.exp(score - total)
    drawn = [search_part(graph, [scores], WIDE, [None], Wanted(draws=5000))[0][0].drawn for _ in range(2)]
    assert drawn[0] == drawn[1]
    shares = Counter(map(tuple, drawn[0]))
    assert shares.keys() <= exact.keys() and len(shares) > 3
    for words, share in exact.items():
        assert shares[words] / 5000 == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 5000) + 1e-3)


@pytest.mark.k2
def test_occupancies_are_those_of_k2_and_so_are_their_gradients():
    graph, rewards = random_graph(3), torch.randn(50, SENONES, dtype=torch.float64)
    sides = {}
    for engine in ("k2", "numpy"):
        scores = [one.clone().requires_grad_(True) for one in scores_of(3, [20, 1, 9, 13])]
        found = occupancies(graph, scores, Beams(50.0, 30.0, 10, 1000), engine=engine)
        dense = torch.zeros(4, 20, SENONES, dtype=torch.float64)
        dense = dense.index_put((found.utterances, found.frames, found.senones), found.shares, accumulate=True)
        (dense * rewards[:20]).sum().backward()
        path = occupancies(graph, [s.detach() for s in scores], Beams(50.0, 30.0, 10, 1000), True, engine)
        sides[engine] = dense.detach(), [s.grad for s in scores], list(zip(*(c.tolist() for c in path)))
    (ours, slopes, path), (theirs, their_slopes, their_path) = sides["numpy"], sides["k2"]
    assert torch.allclose(ours, theirs, atol=1e-4) and ours.sum() == pytest.approx(20 + 9 + 13, abs=1e-3)
    assert sorted(path) == sorted(their_path)
    for a, b in zip(slopes, their_slopes, strict=True):
        assert torch.allclose(a if a is not None else torch.zeros(1), b if b is not None else torch.zeros(1), atol=1e-3)


@pytest.mark.parametrize("every", [1, 7, 10_000])
def test_pruning_on_the_way_changes_nothing(every, monkeypatch):
    graph, (scores,) = random_graph(0), scores_of(0, [60])
    whole = lattice(graph, scores, NARROW)
    monkeypatch.setattr(module, "_PRUNED_EVERY", every)
    again = lattice(graph, scores, NARROW)
    assert all(np.array_equal(getattr(whole, n), getattr(again, n)) for n in ("sources", "targets", "senones"))


@pytest.mark.parametrize("piece", [1, 3, 64])
def test_pieces_do_not_matter_also_where_beams_cut(piece):
    graph = random_graph(4)
    for scores in scores_of(4, [70, 33]):
        tokens, at_once = TokenSearch(ArrayNet.of(graph), NARROW), TokenSearch(ArrayNet.of(graph), NARROW)
        online = Online(graph, NARROW)
        for begin in range(0, len(scores), piece):
            tokens(scores[begin : begin + piece].numpy())
            news = online(scores[begin : begin + piece])
        at_once(scores.numpy())
        assert tokens.so_far() == at_once.so_far() == news
        ours, theirs = tokens.lattice(scores.numpy()), lattice(graph, scores, NARROW)
        assert np.array_equal(ours.targets, theirs.targets) and np.array_equal(ours.outputs, theirs.outputs)


def test_active_states_keep_to_their_bounds():
    graph, (scores,) = random_graph(5), scores_of(5, [40])
    for beams in (Beams(100.0, 4.0, 1, 6), Beams(0.01, 4.0, 5, 20)):
        tokens, sizes = TokenSearch(ArrayNet.of(graph), beams), []
        for row in scores.numpy():
            tokens(row[None])
            sizes.append(len(tokens._states))
        assert max(sizes) <= beams.max_active and min(sizes[5:]) >= beams.min_active


def test_a_narrow_beam_is_widened_and_what_is_too_short_is_empty():
    # 0 -(a)-> 1 -(b)-> 2, the end, with loops: two frames or more. State 3, as good as 1, leads nowhere.
    arcs = [(0, 1, 1, 7, 0.0), (1, 1, 1, 0, 0.0), (1, 2, 2, 8, 0.0), (2, 2, 2, 0, 0.0)]
    arcs += [(0, 3, 1, 0, 0.0), (3, 3, 1, 0, 0.0)]
    graph = toy.decoding_graph(arcs, {2: (0, 0.0)}, [], 20)
    late, short, none = torch.tensor([[0.0, -3.0]] * 6), torch.zeros(1, 2), torch.zeros(0, 2)
    impossible = torch.full((4, 2), -1e30)
    utterances = [late, short, none, impossible, torch.full((4, 2), math.nan)]
    found = search(graph, utterances, Beams(1.0, 1.0, 1, 100), "numpy")
    assert [(one.words, one.empty, one.retried) for one in found] == [
        ([7, 8], False, True), ([], True, True), ([], True, False), ([], True, True), ([], True, True),
    ]  # fmt: skip


@pytest.mark.k2
@pytest.mark.parametrize("seed", range(3))
def test_beside_k2_on_longer_utterances(seed):
    graph, scores = random_graph(seed), scores_of(seed, [90, 7, 140])
    wanted, beams = Wanted(lattice=True, path=True), Beams(200.0, 6.0, 10, 10_000)
    sides = [search_each(graph, scores, beams, [None], wanted, engine) for engine in ("k2", "numpy")]
    for (theirs,), (ours,) in zip(*sides, strict=True):
        assert (ours.words, ours.path, ours.empty) == (theirs.words, theirs.path, theirs.empty)
        costs = [next(nbest(one.lattice, 1)) for one in (ours, theirs)]
        assert costs[0][0] == costs[1][0] == ours.words and costs[0][1] == pytest.approx(costs[1][1], abs=2e-3)
    kept = lattice(graph, scores[0], beams)
    assert next(nbest(word_lattice(kept, kept.graph + kept.acoustic, graph), 1))[0] == sides[1][0][0].words
