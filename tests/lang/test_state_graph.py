"""Phone language models, and the graphs of sequence training against brute force."""

import itertools
import math

import numpy as np
import pytest
from tests.lang.toy import Monophones, ToyTree, lexicon

from understudy.device import topology
from understudy.lang.acceptor import Transcript
from understudy.lang.phone_lm import PhoneLm, estimate
from understudy.lang.state_graph import StateGraph, expand
from understudy.step import UserError

SEQUENCES = [[1, 2, 3], [2, 3, 4], [1, 2, 4, 1], [2], [3, 2, 3], [1, 2, 3, 1, 2]]


def probability(lm: PhoneLm, sequence: list[int]) -> float:
    state, total = lm.start, 0.0
    for phone in sequence:
        found = [(w, s) for p, w, s in lm.arcs(state) if p == phone]
        if not found:
            return 0.0
        total += found[0][0]
        state = found[0][1]
    end = lm.final(state)
    return 0.0 if end is None else math.exp(total + end)


def paths(graph: StateGraph, frames: int) -> dict[tuple[int, ...], float]:
    """Probability of each senone sequence of this length."""
    out = {}
    for states in itertools.product(range(len(graph.entry)), repeat=frames):
        for enters in itertools.product([True, False], repeat=frames - 1):
            weight, senones = graph.start[states[0]], [graph.entry[states[0]]]
            for t, enter in enumerate(enters, 1):
                a, b = states[t - 1], states[t]
                if enter:
                    arcs = graph.weights[(graph.sources == a) & (graph.targets == b)]
                    weight += np.logaddexp.reduce(arcs) if len(arcs) else -np.inf
                    senones.append(graph.entry[b])
                else:
                    weight += graph.stay if a == b else -np.inf
                    senones.append(graph.loop[b])
            weight += graph.final[states[-1]]
            if weight > -np.inf:
                out[tuple(senones)] = out.get(tuple(senones), 0.0) + math.exp(weight)
    return out


def expected(sequences: dict[tuple[int, ...], float], tree: ToyTree, frames: int) -> dict[tuple[int, ...], float]:
    """The same from phone sequences and all their durations."""
    out = {}
    for phones, weight in sequences.items():
        context = (0, *phones, 0)
        triples = list(zip(context, context[1:], context[2:], strict=False))
        for cuts in itertools.combinations(range(1, frames), len(phones) - 1):
            lengths = np.diff([0, *cuts, frames])
            senones = []
            for triple, length in zip(triples, lengths, strict=True):
                senones += [tree.senone(*triple, topology.ENTRY)] + [tree.senone(*triple, topology.LOOP)] * (length - 1)
            # One half for each entry, and for each frame that stays.
            out[tuple(senones)] = out.get(tuple(senones), 0.0) + weight * 0.5**frames
    return out


def test_every_history_kept_is_the_plain_n_gram():
    lm = estimate(SEQUENCES, order=3)
    # p(1 2 3) = p(1 | <s>) p(2 | <s> 1) p(3 | 1 2) p(end | 2 3), counted by hand
    assert probability(lm, [1, 2, 3]) == pytest.approx(3 / 6 * 3 / 3 * 2 / 4 * 2 / 4)
    assert probability(lm, [4, 4]) == 0.0


@pytest.mark.parametrize(("order", "extra"), [(2, 0), (3, 0), (4, 0), (4, 2), (5, 100)])
def test_followers_of_every_state_sum_to_one_and_training_sequences_are_possible(order, extra):
    lm = estimate(SEQUENCES, order, extra)
    for followers in lm.log_probs.values():
        assert sum(map(math.exp, followers.values())) == pytest.approx(1)
    assert all(probability(lm, s) > 0 for s in SEQUENCES)


def test_longer_histories_are_likelier_and_as_many_as_asked():
    def perplexity(lm):
        return -sum(math.log(probability(lm, s)) for s in SEQUENCES)

    models = [estimate(SEQUENCES, 4, extra) for extra in (0, 1, 100)]
    assert perplexity(models[0]) > perplexity(models[1]) > perplexity(models[2])
    assert sum(len(h) > 2 for h in models[1].log_probs) == 1


def test_no_alignment_is_an_error():
    with pytest.raises(UserError, match="Run stage 3"):
        estimate([])


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_denominator_sums_over_all_sequences_and_durations(shared, frames, right):
    lm, tree = estimate([[1, 2], [2], [2, 1], [1, 2, 2]], order=3), ToyTree(shared, right)
    sequences = {
        s: p for n in range(1, frames + 1) for s in itertools.product((1, 2), repeat=n) if (p := probability(lm, s)) > 0
    }
    graph = expand(lm, tree)
    found, wanted = paths(graph, frames), expected(sequences, tree, frames)
    assert found.keys() == wanted.keys()
    for senones, weight in wanted.items():
        assert found[senones] == pytest.approx(weight), senones


def test_contexts_that_share_senones_and_future_share_a_state():
    lm = estimate(SEQUENCES, order=2)
    pairs = {(a, b) for s in SEQUENCES for a, b in itertools.pairwise([*s, 0])}
    looking = Monophones()
    looking.asks_right = True
    assert len(expand(lm, looking).entry) == len(pairs) < len(expand(lm, ToyTree(False)).entry)


def test_without_a_look_at_the_next_phone_states_are_fewer():
    lm = estimate(SEQUENCES, order=2)
    phones = {phone for s in SEQUENCES for phone in s}
    into = {(a, b) for s in SEQUENCES for a, b in itertools.pairwise([0, *s])}
    assert len(expand(lm, Monophones()).entry) == len(phones)
    left = expand(lm, ToyTree(False, asks_right=False))
    assert len(left.entry) == len(into) < len(expand(lm, ToyTree(False)).entry)


def test_a_transcript_has_each_pronunciation_once_with_silence_anywhere_between():
    words, tree = lexicon(), ToyTree(False)
    ids = words.phone_ids
    lm = estimate([[ids["a"], ids["b"]], [1, ids["a"]], [ids["a"], 1]], order=2)
    # A | AB B with B = b or c: "A B" and the first word's two ways
    graph = expand(Transcript([[list(p) for p in words.pronunciations[w]] for w in ("A", "B")], 1, lm), tree)
    found = paths(graph, 2)
    a, b, c = (ids[p] for p in "abc")
    assert found.keys() == expected({(a, b): 1.0, (a, c): 1.0}, tree, 2).keys()
    state, weight = lm.start, 0.0
    for phone in (a, b):
        more, state = lm.follow(state, phone)
        weight += more
    senones = (tree.senone(0, a, b, 0), tree.senone(a, b, 0, 0))
    assert found[senones] == pytest.approx(math.exp(weight + lm.end(state)) * 0.25)


def test_two_ways_to_the_same_phones_count_once():
    lm = estimate([[1, 2, 3]], order=2)
    # "x" = 2 | 2 3, "y" = 3 4 | 4: the phones 2 3 4 come about in two ways
    graph = expand(Transcript([[[2], [2, 3]], [[3, 4], [4]]], 1, lm), ToyTree(False))
    found = paths(graph, 3)
    tree = ToyTree(False)
    senones = (tree.senone(0, 2, 3, 0), tree.senone(2, 3, 4, 0), tree.senone(3, 4, 0, 0))
    state, weight = lm.start, 0.0
    for phone in (2, 3, 4):
        more, state = lm.follow(state, phone)
        weight += more
    assert found[senones] == pytest.approx(math.exp(weight + lm.end(state)) * 0.125)
