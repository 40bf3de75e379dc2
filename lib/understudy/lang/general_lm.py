"""A language model of general English: the trigram model in the package pocketsphinx, restricted to a vocabulary.

It is CMU Sphinx's generic model of US English: 72 500 words, 2 million bigrams, 1.7 million trigrams.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from understudy.lang.ngram import BEGIN, END, BackoffModel, Ngram
from understudy.lang.trie import Ngrams, read_trie
from understudy.step import UserError

# Least gain of an n-gram that is kept, nats a word. With mini LibriSpeech's 41 000 words this keeps 351 000 bigrams and
# 225 000 trigrams, with a perplexity of 610; all n-grams, six times as many, have 503.
_WORTH = 4e-7


def general_english(vocabulary: Iterable[str], worth: float = _WORTH) -> BackoffModel:
    """Return a trigram model of a vocabulary's words; case is ignored.

    A word that general English lacks gets half the probability of its rarest word; so do all but one of the words that
    differ in case alone. An n-gram is pruned if p(h, w) (log p(w | h) - log p'(w | h)) < worth, where p' is the
    probability that it backs off to (the weighted difference of Seymore and Rosenfeld, "Scalable backoff language
    models", 1996).

    Args:
        vocabulary: the words.
        worth: least gain of an n-gram, nats a word.

    Raises:
        UserError: general English has no trigram of these words, or pocketsphinx is not installed.
    """
    words = [BEGIN, END, *sorted({*vocabulary})]
    return _as_backoff_model(_pruned(_of_words(words), worth), words)


def frequent_words(vocabulary: Iterable[str], number: int) -> set[str]:
    """Return the `number` most frequent words of general English in a vocabulary, and all spellings of the last one."""
    known: defaultdict[str, list[str]] = defaultdict(list)
    frequent: set[str] = set()
    for word in vocabulary:
        known[word.lower()].append(word)
    names, (single, *_) = _english()
    for index in np.argsort(-single.log_probs, kind="stable"):
        if len(frequent) >= number:
            break
        frequent.update(known.get(names[index], ()))
    return frequent


@lru_cache(maxsize=1)
def _english() -> tuple[list[str], list[Ngrams]]:
    return read_trie(trigram_file())


def trigram_file() -> Path:
    """Return the path of the model in pocketsphinx, which is not imported, as it may be of another Python.

    Raises:
        UserError: pocketsphinx is not installed.
    """
    package = find_spec("pocketsphinx")
    if package is None or not package.submodule_search_locations:
        raise UserError("pocketsphinx, whose package carries the trigram of general English, is not installed")
    return Path(package.submodule_search_locations[0]) / "model/en-us/en-us.lm.bin"


@dataclass(frozen=True)
class _Trigram:
    """A trigram model as arrays: `ones[w]` is the probability of the word w, `of_pairs[i]` that of the last word of
    `pairs[i]` after the first, `of_triples[i]` that of the last word of `triples[i]`.

    Pairs are sorted, so that they can be searched; the first two words of each triple are among the pairs.
    """

    ones: np.ndarray
    pairs: np.ndarray
    of_pairs: np.ndarray
    triples: np.ndarray
    of_triples: np.ndarray

    def find(self, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the indices of pairs among the model's pairs, and whether they are there."""
        keys, wanted = (words[:, 0] * len(self.ones) + words[:, 1] for words in (self.pairs, pairs))
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return at, keys[at] == wanted

    @cached_property
    def before(self) -> np.ndarray:
        """Index of the first two words of each triple among the pairs."""
        return self.find(self.triples[:, :2])[0]

    def shorter(self, weights: np.ndarray) -> np.ndarray:
        """Return the bigram probability of each triple's last word, given the back-off weights of words."""
        at, there = self.find(self.triples[:, 1:])
        return np.where(there, self.of_pairs[at], weights[self.triples[:, 1]] * self.ones[self.triples[:, 2]])

    def sums_of_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each word, the sums over its pairs of the bigram and of the unigram probabilities."""
        first, second = self.pairs.T
        number = len(self.ones)
        return np.bincount(first, self.of_pairs, number), np.bincount(first, self.ones[second], number)

    def sums_of_triples(self, shorter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each pair, the sums over its triples of the trigram and bigram probabilities (`shorter`)."""
        number = len(self.pairs)
        return np.bincount(self.before, self.of_triples, number), np.bincount(self.before, shorter, number)

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return back-off weights of words and of pairs that make the probabilities after each of them sum to one."""
        of_words = _left(*self.sums_of_pairs())
        return of_words, _left(*self.sums_of_triples(self.shorter(of_words)))


def _left(given: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return the back-off weights of histories from their n-grams' mass and the same words' lower-order mass."""
    return np.maximum(1 - given, 1e-6) / np.maximum(1 - below, 1e-6)


def _of_words(words: list[str]) -> _Trigram:
    """Return general English conditioned on these words alone, of which the first two are BEGIN and END.

    Raises:
        UserError: it has no trigram of these words.
    """
    names, ngrams = _english()
    index = {word.lower(): i for i, word in reversed(list(enumerate(words)))}
    place = np.array([index.get(name, -1) for name in names])
    (single, of_single, left), (pairs, of_pairs, left_of_pairs), (triples, of_triples, _) = (
        _with_places(ngrams_of_order, place) for ngrams_of_order in ngrams
    )
    if not len(triples):
        raise UserError("general English has no three words of this lexicon that follow each other: leave it out")
    ones, weights = np.full(len(words), 0.5 * of_single.min()), np.ones(len(words))
    ones[single[:, 0]], weights[single[:, 0]] = of_single, left
    ones[0] = 0.0  # BEGIN is never predicted
    return _conditioned(_Trigram(ones, pairs, of_pairs, triples, of_triples), weights, left_of_pairs)


def _with_places(ngrams: Ngrams, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the n-grams whose words all have a place, as sorted rows of places; probabilities and back-off weights."""
    words = place[ngrams.words]
    kept = (words >= 0).all(axis=1) & (words[:, -1] != 0) & (words[:, :-1] != 1).all(axis=1)
    kept = np.flatnonzero(kept)[np.lexsort(words[kept].T[::-1])]
    log_backoffs = np.zeros(len(words)) if ngrams.log_backoffs is None else ngrams.log_backoffs
    return words[kept], np.exp(ngrams.log_probs[kept]), np.exp(log_backoffs[kept])


def _conditioned(model: _Trigram, weights: np.ndarray, of_pairs: np.ndarray) -> _Trigram:
    """Divide each probability by the sum over all words after its history, given these back-off weights."""
    given, below = model.sums_of_pairs()
    total = given + weights * (model.ones.sum() - below)
    given, below = model.sums_of_triples(model.shorter(weights))
    total_of_pairs = given + of_pairs * (total[model.pairs[:, 1]] - below)
    return replace(model, ones=model.ones / model.ones.sum(), of_pairs=model.of_pairs / total[model.pairs[:, 0]],
                   of_triples=model.of_triples / total_of_pairs[model.before])  # fmt: skip


def _pruned(model: _Trigram, worth: float) -> _Trigram:
    weights, of_pairs = model.weights()
    often = model.ones.copy()
    often[0] = often[1]  # sentences begin as often as they end
    often = often[model.pairs[:, 0]] * model.of_pairs
    shorter = weights[model.pairs[:, 0]] * model.ones[model.pairs[:, 1]]
    pairs = often * np.log(model.of_pairs / shorter) >= worth
    shorter = of_pairs[model.before] * model.shorter(weights)
    triples = often[model.before] * model.of_triples * np.log(model.of_triples / shorter) >= worth
    pairs[model.before[triples]] = True  # histories of triples
    return _Trigram(model.ones, model.pairs[pairs], model.of_pairs[pairs], model.triples[triples],
                    model.of_triples[triples])  # fmt: skip


def _as_backoff_model(model: _Trigram, words: list[str]) -> BackoffModel:
    weights, of_pairs = model.weights()
    log_probs: dict[Ngram, float] = {(word,): math.log(p) if p else -math.inf for word, p in zip(words, model.ones)}
    for ngrams, probs in ((model.pairs, model.of_pairs), (model.triples, model.of_triples)):
        for ngram, p in zip(ngrams.tolist(), np.log(probs).tolist()):
            log_probs[tuple(words[i] for i in ngram)] = p
    log_backoffs: dict[Ngram, float] = {(words[i],): math.log(weights[i]) for i in np.unique(model.pairs[:, 0])}
    log_backoffs |= {tuple(words[j] for j in model.pairs[i]): math.log(of_pairs[i]) for i in np.unique(model.before)}
    return BackoffModel(3, log_probs, log_backoffs)


def mixed(first: BackoffModel, second: BackoffModel, share: float) -> BackoffModel:
    """Interpolate two models of one vocabulary: the result has the n-grams of both, with mean probabilities.

    Other words back off, with weights that make every history's probabilities sum to one.

    Args:
        share: weight of the second model, 0 to 1.
    """
    model = BackoffModel(max(first.order, second.order), {}, {})
    following = defaultdict(list)
    for ngram in {*first.log_probs, *second.log_probs}:
        following[ngram[:-1]].append(ngram[-1])
    for history in sorted(following, key=lambda words: (len(words), words)):
        here = lower = 0.0
        for word in following[history]:
            of_each = (math.exp(of.log_prob(word, history)) for of in (first, second))
            mean = sum(weight * p for weight, p in zip((1 - share, share), of_each))
            model.log_probs[(*history, word)] = math.log(mean) if mean else -math.inf
            here += mean
            lower += math.exp(model.log_prob(word, history[1:])) if history else 0.0
        if history:
            model.log_backoffs[history] = math.log(max(1 - here, 1e-10) / max(1 - lower, 1e-10))
    return model
