"""The n-gram sums to one, is nltk's Witten-Bell, and survives its ARPA form."""

import gzip
import itertools
import math

import pytest
from nltk.lm import WittenBellInterpolated

from understudy.lang.ngram import BackoffModel, Worth, estimate
from understudy.step import UserError

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


def test_unknown_words_are_told_and_the_others_counted():
    model = estimate(TEXT, VOCABULARY, 2)
    found = model.worth([["a", "z", "b"], ["z"]])
    assert (found.words, found.unknown, found.unknown_percent) == (4, 2, 50.0)
    # What follows an unknown word backs off from it, at no cost: the model has never seen it.
    cost = [("a", "<s>"), ("b", "z"), ("</s>", "b"), ("</s>", "z")]
    mean = sum(-model.log_prob(word, [before]) for word, before in cost) / len(cost)
    assert found.perplexity == pytest.approx(math.exp(mean)) == model.perplexity([["a", "z", "b"], ["z"]])
    with_unknown = estimate([["a", "<unk>", "b"]], ["a", "b", "<unk>"], 2)
    assert with_unknown.worth([["a", "z", "b"]]).perplexity == pytest.approx(
        math.exp(-sum(with_unknown.log_prob(w, [h]) for w, h in (("a", "<s>"), ("b", "<unk>"), ("</s>", "b"))) / 3)
    )
    assert model.worth([]) == Worth(None, 0, 0) and model.worth([]).unknown_percent == 0


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


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [("-0", "nan", r"lm.arpa:\d+"), ("-0", "inf", r"lm.arpa:\d+"), (None, "\\data\\\n\\end\\\n", "must have unigrams")],
)
def test_a_model_of_nothing_or_of_no_numbers_is_refused(tmp_path, before, after, said):
    estimate(TEXT, VOCABULARY, 2).write(tmp_path / "lm.arpa")
    text = (tmp_path / "lm.arpa").read_text()
    (tmp_path / "lm.arpa").write_text(text.replace(before, after, 1) if before else after)
    with pytest.raises(UserError, match=said):
        BackoffModel.read(tmp_path / "lm.arpa")


def test_spaces_in_the_header_are_read(tmp_path):
    """As SRILM writes it."""
    estimate(TEXT, VOCABULARY, 2).write(tmp_path / "lm.arpa")
    text = (tmp_path / "lm.arpa").read_text()
    (tmp_path / "spaced.arpa").write_text(text.replace("ngram 1=", "ngram  1=       "))
    assert BackoffModel.read(tmp_path / "spaced.arpa") == BackoffModel.read(tmp_path / "lm.arpa")


def test_a_packed_model_is_read_like_an_unpacked_one(tmp_path):
    estimate([["a", "b"], ["b", "a", "a"]], {"a", "b", "c"}, 2).write(tmp_path / "lm.arpa")
    packed = gzip.compress((tmp_path / "lm.arpa").read_bytes())
    (tmp_path / "lm.arpa.gz").write_bytes(packed)
    assert BackoffModel.read(tmp_path / "lm.arpa.gz") == BackoffModel.read(tmp_path / "lm.arpa")
    (tmp_path / "lm.arpa.gz").write_bytes(packed[:-20])
    with pytest.raises(UserError, match=r"lm\.arpa\.gz: cannot be read as an ARPA file"):
        BackoffModel.read(tmp_path / "lm.arpa.gz")
