"""General English, and models mixed with it: every history's probabilities sum to one, and it helps with new text."""

import itertools
import math

import pytest

from understudy.lang.general_lm import frequent_words, general_english, mixed
from understudy.lang.ngram import BEGIN, END, BackoffModel, estimate
from understudy.step import UserError

WORDS = ["THE", "CAT", "SAT", "ON", "A", "MAT", "OF", "I", "DON'T", "KNOW", "XQZVV"]


def total(model: BackoffModel, history: list[str], words: list[str]) -> float:
    return sum(math.exp(model.log_prob(word, history)) for word in [*words, END])


@pytest.mark.parametrize("worth", [-math.inf, 1e-6, 1e-4])
def test_general_english_is_a_distribution_that_knows_english(worth):
    model = general_english(WORDS, worth)
    for history in itertools.chain(*(itertools.product([BEGIN, *WORDS], repeat=n) for n in (0, 1, 2))):
        if BEGIN not in history[1:]:
            assert total(model, list(history), WORDS) == pytest.approx(1.0, abs=2e-6)
    assert -math.inf < model.log_prob("XQZVV", []) < model.log_prob("MAT", [])
    assert model.log_prob("CAT", ["THE"]) > model.log_prob("CAT", ["OF"])
    assert model.log_prob("KNOW", ["DON'T"]) > model.log_prob("KNOW", ["OF"])
    assert model.log_prob("XQZVV", ["OF"]) < model.log_prob("XQZVV", []) + 1  # what other words had is not for it
    if worth < 1e-4:
        assert model.log_prob("KNOW", ["I", "DON'T"]) > model.log_prob("KNOW", ["DON'T"])


def test_what_is_worth_little_is_left_out_and_what_is_left_has_its_probability():
    whole, pruned = general_english(WORDS, -math.inf), general_english(WORDS, 1e-3)
    assert 2 * len(pruned.log_probs) < len(whole.log_probs)
    assert {ngram[:-1] for ngram in pruned.log_probs} <= {(), *pruned.log_probs}
    for ngram, log_prob in pruned.log_probs.items():
        assert log_prob == whole.log_probs[ngram]
    for ngram in whole.log_probs.keys() - pruned.log_probs.keys():
        *history, word = ngram
        often = math.exp(sum(whole.log_prob(w, ngram[:i]) for i, w in enumerate(ngram) if w != BEGIN))
        often *= math.exp(whole.log_prob(END, [])) if history[0] == BEGIN else 1
        shorter = whole.log_backoffs[tuple(history)] + whole.log_prob(word, history[1:])
        assert often * (whole.log_probs[ngram] - shorter) < 1e-3


def test_a_lexicon_of_another_language_is_refused():
    with pytest.raises(UserError, match="general English has no three words of this lexicon"):
        general_english(["XQZVV", "QXXZ"])


def test_the_most_frequent_words_come_first():
    assert frequent_words(WORDS, 0) == set()
    assert frequent_words(WORDS, 4) == {"THE", "I", "A", "OF"}
    assert frequent_words(["The", "the", "THE", "CAT"], 1) == {"The", "the", "THE"}
    assert frequent_words(WORDS, 99) == {*WORDS} - {"XQZVV"}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mixture_has_the_mean_of_both(share):
    texts = [text.split() for text in ("THE CAT SAT ON A MAT", "A CAT SAT", "ON A MAT OF A CAT", "THE MAT")]
    first, second = estimate(texts, WORDS, 3), general_english(WORDS)
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
    both = mixed(own, general_english(vocabulary), 0.5)
    assert both.perplexity(new) < 0.95 * own.perplexity(new)
