"""The n-gram sums to one, is nltk's Witten-Bell, and survives its ARPA form."""

import gzip
import itertools
import math

import pytest
from nltk.lm import WittenBellInterpolated

from understudy.lang.ngram import BackoffModel, estimate
from understudy.stage import UserError

TEXT = [t.split() for t in ("a b c", "a b d", "b b a", "c", "d a b c a")]
VOCABULARY = [*"abcde"]  # e is never seen


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_sums_to_one_after_seen_and_unseen_histories(order):
    model = estimate(TEXT, VOCABULARY, order)
    for history in [(), ("<s>",), ("a",), ("e",), ("a", "b"), ("e", "a"), ("<s>", "d"), ("c", "e", "a")]:
        total = sum(math.exp(model.log_prob(w, history)) for w in [*VOCABULARY, "</s>"])
        assert total == pytest.approx(1.0, abs=1e-9)


def test_equals_nltk_above_the_unigram():
    ours = estimate(TEXT, VOCABULARY, 2)
    theirs = WittenBellInterpolated(2)
    grams = [g for t in TEXT for g in [*itertools.pairwise(["<s>", *t, "</s>"]), *((w,) for w in [*t, "</s>"])]]
    theirs.fit([grams], vocabulary_text=[*VOCABULARY, "<s>", "</s>"])
    for history, word in itertools.product(["<s>", *"abcd"], [*VOCABULARY, "</s>"]):
        alpha, gamma = theirs.estimator.alpha_gamma(word, (history,))
        expected = alpha + gamma * math.exp(ours.log_prob(word, ()))
        assert math.exp(ours.log_prob(word, (history,))) == pytest.approx(expected)


def test_arpa_round_trip(tmp_path):
    model = estimate(TEXT, VOCABULARY, 3)
    model.write(tmp_path / "lm.arpa")
    again = BackoffModel.read(tmp_path / "lm.arpa")
    assert again.order == 3
    assert again.perplexity(TEXT) == pytest.approx(model.perplexity(TEXT), rel=1e-5)
    assert model.perplexity(TEXT) < len(VOCABULARY) + 1


def test_errors_name_the_place(tmp_path):
    estimate(TEXT, VOCABULARY, 2).write(tmp_path / "lm.arpa")
    text = (tmp_path / "lm.arpa").read_text()
    (tmp_path / "lm.arpa").write_text(text.replace("ngram 2=", "ngram 2=1"))
    with pytest.raises(UserError, match="truncated"):
        BackoffModel.read(tmp_path / "lm.arpa")
    (tmp_path / "lm.arpa").write_text(text.replace("-0", "zero", 1))
    with pytest.raises(UserError, match=r"lm.arpa:\d+"):
        BackoffModel.read(tmp_path / "lm.arpa")
    with pytest.raises(UserError, match="vocabulary"):
        estimate([["z"]], VOCABULARY)


def test_a_packed_model_is_read_like_an_unpacked_one(tmp_path):
    estimate([["a", "b"], ["b", "a", "a"]], {"a", "b", "c"}, 2).write(tmp_path / "lm.arpa")
    packed = gzip.compress((tmp_path / "lm.arpa").read_bytes())
    (tmp_path / "lm.arpa.gz").write_bytes(packed)
    assert BackoffModel.read(tmp_path / "lm.arpa.gz") == BackoffModel.read(tmp_path / "lm.arpa")
    (tmp_path / "lm.arpa.gz").write_bytes(packed[:-20])
    with pytest.raises(UserError, match=r"lm\.arpa\.gz: cannot be read as an ARPA file"):
        BackoffModel.read(tmp_path / "lm.arpa.gz")
