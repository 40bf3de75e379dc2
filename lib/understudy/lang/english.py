"""General English for a language model: public counts of words and of pairs of words, from a package's data.

Peter Norvig's selection of the Google Web Trillion Word Corpus ("Natural Language Corpus Data", in Beautiful Data,
2009): 333 000 words and the 286 000 most frequent pairs.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib import resources

from understudy.lang.ngram import BEGIN, END, BackoffModel


def general_english(vocabulary: Iterable[str], end: float) -> BackoffModel:
    """A bigram of a vocabulary's words; upper or lower case and apostrophes make no difference to the counts.

    Args:
        end: probability of a sentence's end, which the counts do not tell, after any word.
    """
    known = _by_spelling(vocabulary)  # words of one spelling share its count
    words, pairs = Counter(), defaultdict(Counter)
    for (spelling,), count in _counts("unigrams.txt"):
        for word in known.get(spelling, ()):
            words[word] += count / len(known[spelling])
    rare = 0.5 * min(words.values(), default=1.0)  # as if a word that is not counted were half as frequent as any
    words.update({word: rare for of in known.values() for word in of if word not in words})
    for (first, second), count in _counts("bigrams.txt"):
        for before in known.get(first, ()):
            for word in known.get(second, ()):
                pairs[before][word] += count / len(known[first]) / len(known[second])
    model, total = BackoffModel(2, {(BEGIN,): -math.inf, (END,): math.log(end)}, {}), sum(words.values())
    for word, count in words.items():
        model.log_probs[word,] = math.log((1 - end) * count / total)
    for before, following in pairs.items():
        scale = (1 - end) / max(words[before], sum(following.values()))
        lower = sum(math.exp(model.log_probs[word,]) for word in following)
        for word, count in following.items():
            model.log_probs[before, word] = math.log(scale * count)
        model.log_backoffs[before,] = math.log((1 - scale * sum(following.values())) / (1 - lower))
    return model


def frequent_words(vocabulary: Iterable[str], number: int) -> set[str]:
    """The most frequent words of general English that a vocabulary has, all spellings of the last one included."""
    known, frequent = _by_spelling(vocabulary), set()
    for (spelling,), _ in _counts("unigrams.txt"):  # most frequent first
        if len(frequent) >= number:
            break
        frequent.update(known.get(spelling, ()))
    return frequent


def _by_spelling(vocabulary: Iterable[str]) -> dict[str, list[str]]:
    known = defaultdict(list)
    for word in vocabulary:
        known[word.lower().replace("'", "")].append(word)
    return known


def _counts(name: str) -> Iterator[tuple[tuple[str, ...], float]]:
    with (resources.files("wordsegment") / name).open(encoding="utf-8") as file:
        for line in file:
            text, count = line.split("\t")
            yield tuple(text.lower().split()), float(count)


def mixed(first: BackoffModel, second: BackoffModel, share: float) -> BackoffModel:
    """A model with all n-grams of two models of one vocabulary, each with the mean of their probabilities.

    What has no n-gram of its own backs off, with weights that make every history's probabilities sum to one.

    Args:
        share: weight of the second, 0 to 1.
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
