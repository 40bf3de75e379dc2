"""Words that a user adds: how a file of them is read.

A line is a word, its phones if they are known, and `weight=3` if it is more likely than others. Without phones its
pronunciations are those of the lexicon, or a guess. Words may stand anywhere; those after a line `<contact>`, where
the language model has a place of this name. A line `<new> weight=5` or `<contact> weight=5` makes all words of this
place five times as likely. Empty lines, and what follows a # that begins a word, are left out.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .errors import DeviceError
from .places import NEW, is_class
from .splice import SHORTEST, Spoken
from .textfile import lines_of
from .vocabulary import SILENCE, Vocabulary

Guess = Callable[[str], Sequence[str] | None]
"""a function that guesses the phones of a word; None: it cannot"""
_SHOWN = 20
_WEIGHT = re.compile(r"weight=(.*)")
_RESERVED = ("<eps>", "#0", "<s>", "</s>")


@dataclass(frozen=True)
class Added:
    """The words of a file, added to a vocabulary."""

    vocabulary: Vocabulary
    """the vocabulary with these words"""
    spoken: dict[str, list[Spoken]]
    """pronunciations of the words, by class"""
    guessed: list[tuple[str, tuple[str, ...]]]
    """words whose phones were guessed, and the phones"""
    doubled: list[str]
    """path:number of lines that repeat an earlier one"""

    def told(self) -> list[str]:
        """Return what a user should know, a sentence each."""
        found = []
        if self.guessed:
            shown = ", ".join(f"{word} ({' '.join(phones)})" for word, phones in self.guessed[:_SHOWN])
            more = f" and {len(self.guessed) - _SHOWN} more" if len(self.guessed) > _SHOWN else ""
            found.append(f"guessed how {_count(self.guessed, 'word')} may be said: {shown}{more}")
        if self.doubled:
            others = f"; {len(self.doubled)} such lines in all" if len(self.doubled) > 1 else ""
            found.append(f"{self.doubled[0]}: as an earlier line, and counts once{others}")
        return found


def _count(things: Collection, name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


@dataclass(frozen=True)
class _Line:
    where: str
    place: str
    word: str
    phones: tuple[str, ...]
    weight: float


def read_words(path: Path, vocabulary: Vocabulary, places: Collection[str] | None, guess: Guess) -> Added:
    """Read the words of a file.

    Args:
        vocabulary: the words known before.
        places: classes that the graph has places for; None: any may be named.
        guess: guesses pronunciations.

    Raises:
        DeviceError: the file cannot be read, or has no words, a class without a place, or a word that cannot be said
            with the vocabulary's phones.
    """
    lines, shares, doubled = _lines(path, places)
    words, pronunciations = list(vocabulary.words), {**vocabulary.pronunciations}
    ids, guessed, unknown = dict(vocabulary.word_ids), {}, []
    said: dict[str, list[tuple[int, tuple[int, ...], float]]] = defaultdict(list)
    for line in lines:
        if not line.phones and line.word not in vocabulary.pronunciations and line.word not in guessed:
            guessed[line.word] = tuple(guess(line.word) or ())
            if not guessed[line.word]:
                unknown.append(line)
                continue
        of = _spoken(line, vocabulary, guessed)
        if line.word not in ids:
            ids[line.word] = len(words)
            words.append(line.word)
        pronunciations[line.word] = tuple(dict.fromkeys((*pronunciations.get(line.word, ()), *of)))
        said[line.place] += [(ids[line.word], phones, line.weight) for phones in of]
    if unknown:
        raise DeviceError(_cannot(unknown))
    weights = {p: math.fsum(line.weight for line in lines if line.place == p) / shares.get(p, 1.0) for p in said}
    spoken = {p: [Spoken(w, of, math.log(weights[p] / weight)) for w, of, weight in all_] for p, all_ in said.items()}
    whole = replace(vocabulary, words=words, pronunciations=pronunciations)
    return Added(whole, spoken, sorted(guessed.items()), doubled)


def _lines(path: Path, places: Collection[str] | None) -> tuple[list[_Line], dict[str, float], list[str]]:
    """Return the lines, each once, the weights of classes, and where repeated lines stand."""
    place, lines, shares, doubled = NEW, {}, {}, []
    for where, text in lines_of(path):
        word, *rest = text.split()
        if is_class(word):
            phones, weight = _rest(where, rest)
            if phones:
                raise DeviceError(f"{where}: {word} is the name of a place: nothing but a weight stands on its line.")
            if places is not None and word not in places:
                there = " ".join(sorted(places)) or "none"
                raise DeviceError(f"{where}: the graph has no place {word}; it has {there}.")
            place, shares[word] = word, weight
            continue
        if _WEIGHT.fullmatch(word) or all(unicodedata.category(one)[0] in "CZ" for one in word):
            raise DeviceError(f"{where}: an empty word. Write the word, then its phones or nothing.")
        if word in _RESERVED:
            raise DeviceError(f"{where}: {word} is reserved and cannot be a word. Remove the line.")
        line = _Line(where, place, word, *_rest(where, rest))
        if (key := (place, word, line.phones)) in lines:
            doubled.append(where)
        else:
            lines[key] = line
    if not lines:
        raise DeviceError(f"{path}: no words in it. Write one on each line.")
    new = [line for line in lines.values() if line.place == NEW]
    if new and places is not None and NEW not in places:
        raise DeviceError(
            f"{new[0].where}: the graph has no place for words anywhere; it has {' '.join(sorted(places)) or 'none'}. "
            "Name one on a line before, or make the graph with steps/make_graph.py --new-words."
        )
    return list(lines.values()), shares, doubled


def _rest(where: str, rest: list[str]) -> tuple[tuple[str, ...], float]:
    """Return the phones and the weight on the rest of a line."""
    weights = [found[1] for one in rest if (found := _WEIGHT.fullmatch(one))]
    try:
        weight = float(weights[0]) if weights else 1.0
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf or len(weights) > 1:
        raise DeviceError(
            f"{where}: a word has one weight above 0, got {' '.join(weights)}. Write weight=2 or nothing."
        )
    return tuple(one for one in rest if not _WEIGHT.fullmatch(one)), weight


def _spoken(line: _Line, vocabulary: Vocabulary, guessed: dict[str, tuple[str, ...]]) -> list[tuple[int, ...]]:
    """Return the phone ids of each of a line's pronunciations."""
    phones = line.phones or guessed.get(line.word)
    if phones is None:
        of = list(vocabulary.pronunciations[line.word])
    else:
        if strange := [one for one in phones if one == SILENCE or one not in vocabulary.phone_ids or one == "<eps>"]:
            known = " ".join(one for one in vocabulary.phones[1:] if one != SILENCE)
            raise DeviceError(f"{line.where}: {line.word}: {strange[0]} is no phone of this folder. It has {known}.")
        of = [tuple(vocabulary.phone_ids[one] for one in phones)]
    if all(len(one) < SHORTEST for one in of):
        raise DeviceError(
            f"{line.where}: {line.word} has one phone. A word that is added has {SHORTEST} or more; a shorter one "
            "would be heard everywhere."
        )
    return [one for one in of if len(one) >= SHORTEST]


def _cannot(lines: list[_Line]) -> str:
    shown = " ".join(line.word for line in lines[:_SHOWN])
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return (
        f"{lines[0].where}: no pronunciation can be guessed for {shown}{more}: the lexicon has no words of such "
        "letters, or the folder no g2p model. Write the phones after each word."
    )
