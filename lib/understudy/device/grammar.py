"""A grammar, that is, the sentences that alone are to be heard: how its file is read, and its decoding graph.

A line is a sentence; `[please]` is optional, one of `(red | green)` has to be said, and brackets may be nested.
`<contact>` is any word of this class in a file of words. Empty lines, and what follows a # that begins a word, are left
out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import accumulate
from pathlib import Path
from typing import Any

import kaldifst

from .compose import compile_graph
from .decoding_graph import DecodingGraph
from .errors import DeviceError
from .places import is_class
from .textfile import lines_of
from .vocabulary import ContextTree, Vocabulary

_TOKEN = re.compile(r"[\[\]()|]|[^\s\[\]()|]+")
Classes = Mapping[str, Collection[str]]
_NONE: Classes = {}
_FREE: Mapping[str, float] = {}
_CLOSING = {"[": "]", "(": ")"}
_DEEP = 100
"""greatest depth of nested brackets: the parser recurses as deep"""


@dataclass
class Acceptor:
    """An acceptor of words: arcs between states, some without a word; state 0 is the start."""

    arcs: list[tuple[int, int, str]] = field(default_factory=list)
    """source, destination, word; an empty word is none"""
    ends: list[int] = field(default_factory=list)
    states: int = 1

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]]) -> Acceptor:
        """Make the acceptor of the given sentences."""
        found = cls()
        for words in sentences:
            here = 0
            for word in words:
                found.arcs.append((here, found.state(), word))
                here = found.states - 1
            found.ends.append(here)
        return found

    def state(self) -> int:
        """Add a state and return its number; 0, the start, exists from the beginning."""
        self.states += 1
        return self.states - 1

    def longest(self, words: Sequence[str]) -> int:
        """Return the number of words of the longest sentence that `words` begin with; 0: they begin with none."""
        here, best = self._silently({0}), 0
        for number, word in enumerate(words, 1):
            here = self._silently({to for at, to, said in self.arcs if said == word and at in here})
            if not here:
                break
            if not here.isdisjoint(self.ends):
                best = number
        return best

    def _silently(self, states: set[int]) -> set[int]:
        """Add to the states those that arcs without a word lead to, and return all."""
        todo = list(states)
        while todo:
            state = todo.pop()
            for at, to, said in self.arcs:
                if at == state and not said and to not in states:
                    states.add(to)
                    todo.append(to)
        return states

    @property
    def words(self) -> set[str]:
        """All words of the arcs."""
        return {word for _, _, word in self.arcs} - {""}


def grammar_graph(path: Path, lexicon: Vocabulary, tree: ContextTree, classes: Classes = _NONE) -> DecodingGraph:
    """Compile the graph of a file of sentences, all equally likely.

    Args:
        classes: words of each class, by its name, as in `<contact>`.

    Raises:
        DeviceError: the file cannot be read, or has no sentence, a line that is none, or a word without pronunciation.
    """
    return accepting(read_grammar(path, lexicon, classes), lexicon, tree)


def accepting(
    acceptor: Acceptor, lexicon: Vocabulary, tree: ContextTree, costs: Mapping[str, float] = _FREE
) -> DecodingGraph:
    """Compile the graph of an acceptor of at least one sentence, whose words all have pronunciations.

    Args:
        costs: nats that some words cost; all others cost 0.
    """
    graph = compile_graph(lexicon.only(acceptor.words), _as_fst(acceptor, lexicon, costs), tree)
    if graph is None:
        raise RuntimeError("all words have pronunciations, and no sentence has")
    return graph


def read_grammar(path: Path, lexicon: Vocabulary, classes: Classes = _NONE) -> Acceptor:
    """Read the sentences of a file; see `grammar_graph`."""
    acceptor = Acceptor()
    for where, line in lines_of(path):
        tokens = _TOKEN.findall(line)
        if (deep := max(accumulate((token in "[(") - (token in "])") for token in tokens))) > _DEEP:
            raise DeviceError(f"{where}: brackets in {deep} others; {_DEEP} are enough.")
        for word in tokens:
            if word not in "[]()|" and word not in lexicon.pronunciations and word not in classes:
                raise DeviceError(f"{where}: {word} {_unknown(word, lexicon)}")
        acceptor.ends.append(_Line(where, tokens, acceptor, classes).sentence())
    if not acceptor.ends:
        raise DeviceError(f"{path}: no sentence in it. Write one on each line.")
    return acceptor


def _unknown(word: str, lexicon: Vocabulary) -> str:
    upper = {known.upper(): known for known in lexicon.pronunciations}
    alike = [upper[one] for one in get_close_matches(word.upper(), upper, 3)]
    meant = f" Is it {' or '.join(alike)}?" if alike else ""
    what = "is no class of --words." if is_class(word) else "has no pronunciation in this folder."
    return f"{what}{meant} Add it with --words."


class _Line:
    """Reads a line's tokens into an acceptor, from left to right."""

    def __init__(self, where: str, tokens: list[str], acceptor: Acceptor, classes: Classes) -> None:
        self._where, self._acceptor, self._classes = where, acceptor, classes
        self._tokens: Iterator[str] = iter([*tokens, ""])
        self._token = next(self._tokens)

    def sentence(self) -> int:
        """Read the line and return the state in which it ends."""
        end, silent = self._alternatives(0, "")
        if silent:
            raise DeviceError(f"{self._where}: nothing of it has to be said. Let a word stand outside of brackets.")
        return end

    def _alternatives(self, source: int, closing: str) -> tuple[int, bool]:
        """Read alternatives up to `closing`; return the state after them, and whether one of them needs no word."""
        end, silent = self._acceptor.state(), False
        while True:
            here, unsaid = self._sequence(source)
            self._acceptor.arcs.append((here, end, ""))
            silent |= unsaid
            if self._token != "|":
                break
            self._next()
        if self._token != closing:
            found = f"{self._token} without its partner" if self._token else f"the line ends before {closing}"
            raise DeviceError(f"{self._where}: {found}. Close every [ with ] and every ( with ).")
        return end, silent

    def _sequence(self, here: int) -> tuple[int, bool]:
        silent, empty = True, True
        while self._token not in ("", "|", "]", ")"):
            token, empty = self._next(), False
            if token not in _CLOSING:
                here, silent = self._word(here, token), False
                continue
            end, unsaid = self._alternatives(here, _CLOSING[token])
            self._next()
            if token == "[":
                self._acceptor.arcs.append((here, end, ""))
            here, silent = end, silent and (unsaid or token == "[")
        if empty:
            raise DeviceError(
                f"{self._where}: nothing stands between brackets or bars. Write [red] for what may be left out."
            )
        return here, silent

    def _word(self, source: int, word: str) -> int:
        state = self._acceptor.state()
        self._acceptor.arcs += [(source, state, one) for one in self._classes.get(word, (word,))]
        return state

    def _next(self) -> str:
        token, self._token = self._token, next(self._tokens, "")
        return token


def _as_fst(acceptor: Acceptor, lexicon: Vocabulary, costs: Mapping[str, float]) -> Any:
    """Return G, which has each sentence once, in however many ways the file allows for it."""
    ids = {"": 0} | {word: lexicon.word_ids[word] for word in acceptor.words}
    lines = [f"{a} {b} {ids[word]} {ids[word]} {costs.get(word, 0)}" for a, b, word in sorted(acceptor.arcs)]
    fst = kaldifst.compile("\n".join([*lines, *map(str, acceptor.ends)]) + "\n")
    kaldifst.determinize_star(fst)
    kaldifst.minimize_encoded(fst)
    kaldifst.arcsort(fst, "ilabel")
    return fst
