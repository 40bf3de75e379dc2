"""Word lattices against brute force: n-best lists, oracle errors, rescoring, and what they keep of a search."""

import math
import random

import kaldialign
import numpy as np
import pytest
import torch
from tests.lang import toy

from understudy.decode import lattice as module
from understudy.decode.lattice import (
    Rescoring,
    WordLattice,
    load_lattices,
    nbest,
    oracle_errors,
    save_lattices,
)
from understudy.decode.options import Beams
from understudy.decode.search import search
from understudy.lang.graph import words_of
from understudy.lang.graph_costs import GraphCosts
from understudy.lang.hclg import build_hclg
from understudy.lang.ngram import estimate
from understudy.step import UserError

try:
    from understudy.decode.k2_search import lattices, word_lattices
except ImportError:  # the tests that need it are skipped
    lattices = word_lattices = None

WORDS = ["<eps>", *"abcd"]


def random_lattice(seed: int) -> WordLattice:
    """Deterministic: no two arcs of a state have one word."""
    draw = random.Random(seed)
    states = draw.randint(2, 7)
    arcs = []
    for state in range(states - 1):
        for word in draw.sample(range(1, 5), draw.randint(1, 4)):
            target = state + 1 if word == 1 else draw.randint(state + 1, states - 1)
            arcs.append((state, target, word, round(draw.uniform(0, 5), 3)))
    finals = {states - 1: 0.5, draw.randrange(states): 1.25}
    rows = np.array([a[:3] for a in sorted(arcs)], np.int32)
    return WordLattice(rows, np.array([a[3] for a in sorted(arcs)], np.float32), finals)


def sequences(lattice: WordLattice) -> dict[tuple[int, ...], float]:
    """All word sequences and their costs, path by path."""
    found, todo, out = {}, [(0, (), 0.0)], lattice.outgoing()
    while todo:
        state, words, cost = todo.pop()
        if state in lattice.finals:
            assert words not in found  # deterministic
            found[words] = cost + lattice.finals[state]
        todo += [(target, (*words, word), cost + arc) for target, word, arc in out[state]]
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_n_best_are_those_of_brute_force(seed):
    lattice = random_lattice(seed)
    expected = sorted(sequences(lattice).items(), key=lambda item: item[1])
    for n in (0, 1, 3, len(expected) + 5):
        found = list(nbest(lattice, n))
        assert [cost for _, cost in found] == pytest.approx([cost for _, cost in expected[:n]], abs=1e-4)
        assert all(expected_cost == pytest.approx(dict(expected)[tuple(words)]) for words, expected_cost in found)
        assert len({tuple(words) for words, _ in found}) == len(found)


@pytest.mark.parametrize("seed", range(12))
def test_the_oracle_is_the_best_of_all_sequences(seed):
    lattice, draw = random_lattice(seed), random.Random(seed)
    for length in (0, 1, 3, 8):
        reference = [draw.randint(1, 5) for _ in range(length)]  # 5 is in no lattice
        fewest = min(kaldialign.edit_distance(reference, list(words))["total"] for words in sequences(lattice))
        assert oracle_errors(lattice, reference) == fewest


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_rescoring_changes_each_sequence_by_its_difference(weight):
    draw = random.Random(1)
    texts = [[draw.choice("abcd") for _ in range(draw.randint(1, 5))] for _ in range(60)]
    old, new = estimate(texts[:30], "abcd", 2), estimate([t for t in texts[30:] if "d" not in t], "abc", 3)
    for seed in range(8):
        lattice = random_lattice(seed)
        expected = {}
        for words, cost in sequences(lattice).items():
            graph, history = GraphCosts(old), ["<s>"]
            ways = graph.start
            for word in [*(WORDS[w] for w in words), "</s>"]:
                charged, ways = (graph.end(ways), ways) if word == "</s>" else graph.step(ways, word)
                change = -charged - new.log_prob(word, history)
                cost += weight * change if math.isfinite(change) else 0.0  # the new model does not know "d"
                history.append(word)
            expected[words] = cost
        found = sequences(Rescoring(old, new, WORDS, weight)(lattice))
        assert found.keys() == expected.keys()
        assert all(found[words] == pytest.approx(cost, abs=1e-4) for words, cost in expected.items())
        rescoring, order = Rescoring(old, new, WORDS, weight), sorted(expected, key=sequences(lattice).get)
        for n in (1, 2, 5, len(order)):
            assert tuple(rescoring.best(lattice, n)) == min(order[:n], key=expected.get)
        assert tuple(rescoring.best(lattice, 0)) == min(order, key=expected.get)


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    return lexicon, tree, build_hclg(lexicon, toy.write_arpa(tmp_path_factory.mktemp("lm")), tree)


def paths(lattice, graph) -> dict[tuple[int, ...], float]:
    """Least cost of each word sequence in a lattice of the search, path by path."""
    arcs, scores = lattice.arcs.values()[:, :2].tolist(), lattice.scores.tolist()
    labels, out = lattice.aux_labels.tolist(), {}
    for number, (source, _) in enumerate(arcs):
        out.setdefault(source, []).append(number)
    end = max(target for _, target in arcs)
    best, todo = {}, [(0, (), 0.0)]
    while todo:
        state, words, cost = todo.pop()
        if state == end:
            best[words] = min(cost, best.get(words, math.inf))
        for number in out.get(state, ()):
            said = words_of(graph, [labels[number]])
            todo.append((arcs[number][1], (*words, *said), cost - scores[number]))
    return best


@pytest.mark.k2
def test_a_word_lattice_keeps_every_sequence_of_the_search_at_its_least_cost(language):
    _lexicon, tree, graph = language
    torch.manual_seed(2)
    utterances = [torch.randn(n, tree.num_senones) for n in (6, 5)]
    impossible = torch.full((4, tree.num_senones), -1e30)
    found = lattices(graph, [*utterances, impossible], Beams(search=20.0, output=8.0))
    made = word_lattices(found, graph)
    assert made[2] is None
    for number, one in enumerate(made[:2]):
        expected, kept = paths(found[number], graph), sequences(one)
        assert kept.keys() == expected.keys() and len(kept) > 3
        assert all(kept[words] == pytest.approx(cost, abs=2e-3) for words, cost in expected.items())
    best = [one.words for one in search(graph, utterances, Beams(search=20.0, output=8.0))]
    assert [next(nbest(one, 1))[0] for one in made[:2]] == best


@pytest.mark.k2
def test_too_many_alternatives_are_narrowed_to_the_best(language, monkeypatch, caplog):
    _lexicon, tree, graph = language
    torch.manual_seed(4)
    found = lattices(graph, [torch.randn(12, tree.num_senones)], Beams(search=20.0, output=8.0))
    (whole,) = word_lattices(found, graph)
    monkeypatch.setattr(module, "_MOST_STATES", whole.states // 2)
    monkeypatch.setattr(module.log, "propagate", True)
    with caplog.at_level("INFO"):
        (narrow,) = word_lattices(found, graph)
    assert "a word lattice is too large" in caplog.text and 1 < narrow.states <= whole.states // 2 + 1
    every, kept = sequences(whole), sequences(narrow)
    assert kept.keys() < every.keys() and min(kept.values()) == pytest.approx(min(every.values()), abs=1e-3)
    assert max(kept.values()) < max(every.values())


def test_lattices_are_read_as_they_were_written(tmp_path):
    made = {"u1": random_lattice(1), "lost": None, "u 2": random_lattice(2)}
    save_lattices(tmp_path / "lattices.safetensors", made)
    again = load_lattices(tmp_path / "lattices.safetensors")
    assert list(again) == list(made) and again["lost"] is None
    for name in ("u1", "u 2"):
        assert sequences(again[name]) == sequences(made[name])
    save_lattices(tmp_path / "none.safetensors", {"lost": None})
    assert load_lattices(tmp_path / "none.safetensors") == {"lost": None}
    for text, said in ((b"", "not lattices"), (None, "no such lattices")):
        path = tmp_path / "lattices.safetensors"
        path.unlink() if text is None else path.write_bytes(text)
        with pytest.raises(UserError, match=said):
            load_lattices(path)
