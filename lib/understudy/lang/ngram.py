"""Back-off n-gram language models in the ARPA format, estimated with interpolated Witten-Bell smoothing.

Source: Witten and Bell 1991; as interpolated in Chen and Goodman, "An empirical study of smoothing
techniques for language modeling", 1998, equation 17. The unigram is interpolated with the uniform
distribution over the vocabulary (our choice), so that every word of the lexicon can be recognised.
"""

from __future__ import annotations

import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from understudy.step import UserError, atomic_path

BEGIN, END = "<s>", "</s>"
UNKNOWN = "<unk>"
"""The symbol for words without pronunciation: n-grams may have it in their history; graphs leave it out"""
_NEVER = -99.0  # log10 of zero in ARPA files

Ngram = tuple[str, ...]


@dataclass(frozen=True)
class Worth:
    """The fit of a model to some text."""

    perplexity: float | None
    """perplexity per known word, counting sentence ends; None: there are no words, or one has probability 0"""
    words: int
    """number of words, without sentence ends"""
    unknown: int
    """number of words that the model lacks; in the perplexity they only serve as history"""

    @property
    def unknown_percent(self) -> float:
        """Unknown words in % of all words; 0 if there are none."""
        return 100 * self.unknown / self.words if self.words else 0.0


@dataclass
class BackoffModel:
    """A back-off model: natural logarithms of probabilities of n-grams and of back-off weights of histories."""

    order: int
    log_probs: dict[Ngram, float]
    log_backoffs: dict[Ngram, float]

    def log_prob(self, word: str, history: Sequence[str]) -> float:
        """Return log p(word | history), nats; -inf for a word that the model lacks."""
        context = tuple(history)[-(self.order - 1) :] if self.order > 1 else ()
        total = 0.0
        while (*context, word) not in self.log_probs:
            if not context:
                return -math.inf
            total += self.log_backoffs.get(context, 0.0)
            context = context[1:]
        return total + self.log_probs[(*context, word)]

    def perplexity(self, sentences: Iterable[Sequence[str]]) -> float:
        """Return the perplexity per known word, counting sentence ends.

        Raises:
            UserError: it is not known (see `Worth`).
        """
        found = self.worth(sentences).perplexity
        if found is None:
            raise UserError("perplexity: no sentences to compute it on.")
        return found

    def worth(self, sentences: Iterable[Sequence[str]]) -> Worth:
        """Return the perplexity over the words that the model knows, and the number of unknown words."""
        total, words, unknown, ends = 0.0, 0, 0, 0
        stands_for = next((name for name in (UNKNOWN, UNKNOWN.upper()) if (name,) in self.log_probs), UNKNOWN)
        for sentence in sentences:
            history = [BEGIN]
            for word in (*sentence, END):
                known = word == END or self.log_prob(word, ()) > -math.inf
                if known:
                    total -= self.log_prob(word, history)
                history.append(word if known else stands_for)
                unknown += not known
            words, ends = words + len(sentence), ends + 1
        counted = words - unknown + ends
        # A user's model may have no sentence end, so that the perplexity is infinite, which JSON cannot hold.
        perplexity = math.exp(total / counted) if counted and total < math.inf else None
        return Worth(perplexity, words, unknown)

    def write(self, path: Path) -> None:
        """Write an ARPA file, atomically."""
        by_order: dict[int, list[Ngram]] = defaultdict(list)
        for ngram in sorted(self.log_probs):
            by_order[len(ngram)].append(ngram)
        with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.write("\n\\data\\\n")
            for n in sorted(by_order):
                file.write(f"ngram {n}={len(by_order[n])}\n")
            for n in sorted(by_order):
                file.write(f"\n\\{n}-grams:\n")
                file.writelines(self._line(ngram) for ngram in by_order[n])
            file.write("\n\\end\\\n")

    def _line(self, ngram: Ngram) -> str:
        backoff = self.log_backoffs.get(ngram)
        tail = "" if backoff is None else f"\t{backoff / math.log(10):.7f}"
        prob = self.log_probs[ngram]
        return f"{prob / math.log(10) if prob > -math.inf else _NEVER:.7f}\t{' '.join(ngram)}{tail}\n"

    @classmethod
    def read(cls, path: Path) -> BackoffModel:
        """Read an ARPA file.

        Raises:
            UserError: a line is malformed (the message names it), or counts differ from the header.
        """
        return _read_arpa(path)


def estimate(sentences: Iterable[Sequence[str]], vocabulary: Iterable[str], order: int = 3) -> BackoffModel:
    """Estimate a model with interpolated Witten-Bell smoothing.

    Raises:
        UserError: the order is below 1, there are no sentences, or a word is outside the vocabulary.
    """
    if order < 1:
        raise UserError(f"n-gram order {order}: must be at least 1.")
    vocabulary = {*vocabulary, END}
    counts = _count(sentences, vocabulary, order)
    model = BackoffModel(order, {(BEGIN,): -math.inf}, {})
    followers, totals = counts[()], sum(counts[()].values())
    share = len(followers) / len(vocabulary)  # mass of unseen words, spread evenly
    for word in vocabulary:
        model.log_probs[(word,)] = math.log((followers[word] + share) / (totals + len(followers)))
    for history in sorted(counts, key=len):
        if not history:
            continue
        followers, totals = counts[history], sum(counts[history].values())
        types = len(followers)
        model.log_backoffs[history] = math.log(types / (totals + types))
        for word, seen in followers.items():
            lower = math.exp(model.log_prob(word, history[1:]))
            model.log_probs[(*history, word)] = math.log((seen + types * lower) / (totals + types))
    return model


def _count(sentences: Iterable[Sequence[str]], vocabulary: set[str], order: int) -> dict[Ngram, Counter[str]]:
    """Count the words after each history of 0 to order - 1 words."""
    counts: dict[Ngram, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        unknown = [w for w in sentence if w not in vocabulary]
        if unknown:
            raise UserError(f"training text: {unknown[0]} is not in the vocabulary. Filter the text first.")
        padded = (BEGIN, *sentence, END)
        for end in range(1, len(padded)):
            for length in range(min(order - 1, end) + 1):
                counts[padded[end - length : end]][padded[end]] += 1
    if not counts:
        raise UserError("training text: no sentences to estimate a language model from.")
    return counts


def open_arpa(path: Path) -> TextIO:
    """Open an ARPA file for reading, gzipped or not."""
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _read_arpa(path: Path) -> BackoffModel:
    sizes: dict[int, int] = {}
    found: Counter[int] = Counter()
    model, n, ended = BackoffModel(0, {}, {}), 0, False
    try:
        with open_arpa(path) as file:
            for number, line in enumerate(file, 1):
                fields = line.split()
                if not fields or fields[0] == "\\data\\":
                    continue
                if fields[0] == "\\end\\":
                    ended = True
                    break
                try:
                    if fields[0] == "ngram" and not n:
                        size, count = line.strip().removeprefix("ngram").split("=")  # SRILM puts spaces around
                        sizes[int(size)] = int(count)
                    elif fields[0].startswith("\\"):
                        n = int(fields[0][1:].split("-")[0])
                    elif n:
                        _add_line(model, fields, n)
                        found[n] += 1
                except (ValueError, IndexError):
                    raise UserError(f"{path}:{number}: not a line of an ARPA file: {line[:60].rstrip()!r}.") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as an ARPA file ({error}).") from None
    if not sizes or not sizes.get(1):
        raise UserError(f"{path}: it must have unigrams, and its header counts none. Is it an ARPA file?")
    if not ended or dict(found) != {k: v for k, v in sizes.items() if v}:
        raise UserError(f"{path}: truncated: its header promises {sizes}, it has {dict(found)}. Copy it again.")
    model.order = max(sizes)
    return model


def _add_line(model: BackoffModel, fields: list[str], n: int) -> None:
    if len(fields) not in (n + 1, n + 2):
        raise ValueError
    ngram, scale = tuple(fields[1 : n + 1]), math.log(10)
    if any(math.isnan(float(value)) or float(value) == math.inf for value in (fields[0], *fields[n + 1 :])):
        raise ValueError
    model.log_probs[ngram] = float(fields[0]) * scale if float(fields[0]) > _NEVER else -math.inf
    if len(fields) == n + 2:
        model.log_backoffs[ngram] = float(fields[-1]) * scale
