"""The assistant's lexicon: how the synthesiser says each word, alone and within sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from espeak import Engine, Voice
from languages import Language
from phones import segments, spoken_words

_SPEAKER = Voice("lexicon", "m3", 50, 50, 340)  # pronunciations depend neither on the voice nor on its rate
_MIN_SHARE = 0.05
_MAX_PRONUNCIATIONS = 3

Pronunciation = tuple[str, ...]
Lexicon = dict[str, list[Pronunciation]]


def build(language: Language, num_sentences: int, seed: int) -> Lexicon:
    """Lexicon of the vocabulary of a language's grammar: word, as written, to pronunciations, the commonest first.

    Each word is spoken alone once, then seeded sentences are; a pronunciation needs a share of 5 %, and a
    word keeps three at most.
    """
    counts: dict[str, Counter[Pronunciation]] = defaultdict(Counter)
    joined: list[tuple[tuple[str, ...], Pronunciation]] = []
    alone = language.grammar.vocabulary()
    within = islice(language.grammar.sentences(seed), num_sentences)
    for text in (*alone, *within):
        for words, spoken in _spoken(language, text):
            if len(words) == 1:
                counts[words[0]][spoken] += 1
            else:
                joined.append((words, spoken))
    _split_joined(counts, joined)
    return {language.written(word): _common(counts[word]) for word in alone}


def _spoken(language: Language, text: str) -> list[tuple[tuple[str, ...], Pronunciation]]:
    samples, marks = Engine().say(text, _SPEAKER, language.voice)
    return spoken_words(segments(marks, len(samples), text, language.phone_set), text)


def _split_joined(
    counts: dict[str, Counter[Pronunciation]], joined: Iterable[tuple[tuple[str, ...], Pronunciation]]
) -> None:
    """Part the phones of words run together ("for a"): the last word's are known, the rest is the first's."""
    for (first, *rest), spoken in joined:
        if len(rest) != 1:
            continue
        tails = [known for known in counts[rest[0]] if spoken[-len(known) :] == known and len(known) < len(spoken)]
        if tails:
            tail = max(tails, key=len)
            counts[rest[0]][tail] += 1
            counts[first][spoken[: -len(tail)]] += 1


def _common(counts: Counter[Pronunciation]) -> list[Pronunciation]:
    total = counts.total() if hasattr(counts, "total") else sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [spoken for spoken, count in ranked[:_MAX_PRONUNCIATIONS] if count >= _MIN_SHARE * total]


def covers(lexicon: Lexicon, words: Sequence[str], spoken: Pronunciation) -> bool:
    """Whether the words' pronunciations, one after the other, can give exactly these phones."""
    ends = {0}
    for word in words:
        ends = {
            start + len(known)
            for start in ends
            for known in lexicon.get(word, [])
            if spoken[start : start + len(known)] == known
        }
    return len(spoken) in ends


def lines(lexicon: Lexicon) -> Iterable[str]:
    """Lines of lexicon.txt: a word, then one pronunciation."""
    for word in sorted(lexicon):
        for spoken in lexicon[word]:
            yield f"{word} {' '.join(spoken)}\n"
