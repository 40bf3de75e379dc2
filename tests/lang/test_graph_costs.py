"""What a graph charges for a sentence: as OpenFst finds it in the grammar that the graph is built of."""

from __future__ import annotations

import itertools
import math
import random

import kaldifst
import pytest

from understudy.lang.graph_costs import GraphCosts
from understudy.lang.hclg import _grammar_fst
from understudy.lang.lexicon import Lexicon
from understudy.lang.ngram import BEGIN, END, BackoffModel, estimate

WORDS = "abc"
LEXICON = Lexicon.from_entries([(word, ["x"]) for word in WORDS])


def charged(model: BackoffModel, sentence: tuple[str, ...]) -> float:
    graph, total = GraphCosts(model), 0.0
    ways = graph.start
    for word in sentence:
        cost, ways = graph.step(ways, word)
        total += cost
    return total + graph.end(ways)


def by_openfst(grammar, sentence: tuple[str, ...]) -> float:
    """Least cost of the paths of a grammar that say the sentence; back-off arcs say nothing."""
    ids = [LEXICON.word_ids[word] for word in sentence]
    backoff, n = LEXICON.word_ids["#0"], len(ids)
    lines = [f"{i} {i + 1} {word} {word}" for i, word in enumerate(ids)] + [
        f"{i} {i} {backoff} {backoff}" for i in range(n + 1)
    ]
    spoken = kaldifst.compile("\n".join([*lines, str(n)]) + "\n")
    kaldifst.arcsort(spoken, "olabel")
    found = kaldifst.compose(spoken, grammar)
    arcs, finals = [], {}
    for line in found.to_str().splitlines():
        fields = line.split()
        if len(fields) <= 2:
            finals[fields[0]] = float(fields[1]) if len(fields) == 2 else 0.0
        else:
            arcs.append((fields[0], fields[1], float(fields[4]) if len(fields) == 5 else 0.0))
    best = {str(found.start): 0.0}
    for _ in range(found.num_states):  # Bellman and Ford
        for source, target, cost in arcs:
            if source in best:
                best[target] = min(best.get(target, math.inf), best[source] + cost)
    return min(best[state] + cost for state, cost in finals.items() if state in best)


def models() -> dict[str, BackoffModel]:
    draw = random.Random(3)
    text = [[draw.choice(WORDS) for _ in range(draw.randint(1, 6))] for _ in range(25)]
    found = {f"order {n}": estimate(text, WORDS, n) for n in (1, 2, 3)}
    dear = estimate(text, WORDS, 3)
    for ngram in list(dear.log_probs):  # as pruned or cut-off models have them: dearer than what they back off to
        if len(ngram) > 1:
            dear.log_probs[ngram] -= draw.uniform(0, 4)
    for history in dear.log_backoffs:
        dear.log_backoffs[history] -= draw.uniform(0, 2)
    return found | {"dear": dear}


@pytest.mark.parametrize("name", ["order 1", "order 2", "order 3", "dear"])
def test_a_sentence_costs_what_its_cheapest_way_through_the_grammar_does(name, tmp_path):
    model = models()[name]
    model.write(tmp_path / "lm.arpa")
    grammar = _grammar_fst(LEXICON, tmp_path / "lm.arpa")
    cheaper = 0
    for sentence in itertools.chain.from_iterable(itertools.product(WORDS, repeat=n) for n in range(1, 6)):
        exact, history = 0.0, [BEGIN]
        for word in (*sentence, END):
            exact -= model.log_prob(word, history)
            history.append(word)
        found = charged(model, sentence)
        assert found == pytest.approx(by_openfst(grammar, sentence), abs=1e-4)
        assert found <= exact + 1e-5
        cheaper += found < exact - 1e-3
    assert (cheaper > 50) == (name == "dear")


def test_a_word_that_the_model_lacks_has_no_way():
    graph = GraphCosts(models()["order 2"])
    cost, ways = graph.step(graph.start, "z")
    assert cost == math.inf and ways == () and graph.end(ways) == math.inf
