"""General English, and models mixed with it: every history's probabilities sum to one, and it helps with new text."""

import itertools
import math

import pytest

from understudy.lang.english import frequent_words, general_english, mixed
from understudy.lang.ngram import BEGIN, END, BackoffModel, estimate

WORDS = ["THE", "CAT", "SAT", "ON", "A", "MAT", "OF", "DON'T", "KNOW", "XQZVV"]


def total(model: BackoffModel, history: list[str], words: list[str]) -> float:
    return sum(math.exp(model.log_prob(word, history)) for word in [*words, END])


def test_general_english_is_a_distribution_that_knows_english():
    model = general_english(WORDS, 0.1)
    for history in [[], [BEGIN], *([w] for w in WORDS)]:
        assert total(model, history, WORDS) == pytest.approx(1.0)
        assert model.log_prob(END, history) >= math.log(0.05)
    assert model.log_prob("THE", ["OF"]) > model.log_prob("THE", ["THE"]) + 3
    assert model.log_prob("KNOW", ["DON'T"]) > model.log_prob("KNOW", ["OF"])
    assert -math.inf < model.log_prob("XQZVV", []) < model.log_prob("MAT", [])


def test_the_most_frequent_words_come_first():
    assert frequent_words(WORDS, 0) == set()
    assert frequent_words(WORDS, 4) == {"THE", "OF", "A", "ON"}
    assert frequent_words(WORDS, 99) == {*WORDS} - {"XQZVV"}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mixture_has_the_mean_of_both(share):
    texts = [text.split() for text in ("THE CAT SAT ON A MAT", "A CAT SAT", "ON A MAT OF A CAT", "THE MAT")]
    first, second = estimate(texts, WORDS, 3), general_english(WORDS, 0.2)
    model = mixed(first, second, share)
    histories = [list(h) for n in (0, 1, 2) for h in itertools.product([BEGIN, *WORDS], repeat=n) if BEGIN not in h[1:]]
    for history in histories:
        assert total(model, history, WORDS) == pytest.approx(1.0, abs=1e-6)
    for *history, word in {*first.log_probs, *second.log_probs} - {(BEGIN,)}:
        expected = sum(w * math.exp(m.log_prob(word, history)) for w, m in ((1 - share, first), (share, second)))
        assert math.exp(model.log_prob(word, history)) == pytest.approx(expected)
    if share == 0.0:
        assert model.perplexity(texts) == pytest.approx(first.perplexity(texts))


def test_it_helps_with_text_that_was_not_seen():
    vocabulary = {*"I DON'T KNOW WHAT THE OLD MAN SAID TO HER ABOUT A DOG IN HOUSE OF MY FATHER".split()}
    seen = [text.split() for text in ("THE DOG SAID A", "MY FATHER SAID I DON'T KNOW")]
    new = [text.split() for text in ("THE OLD MAN", "IN THE HOUSE OF MY FATHER", "ABOUT A DOG")]
    own = estimate(seen, vocabulary, 3)
    both = mixed(own, general_english(vocabulary, math.exp(own.log_prob(END, []))), 0.5)
    assert both.perplexity(new) < 0.95 * own.perplexity(new)
