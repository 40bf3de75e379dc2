"""Keyword spotting in whatever is said: the keywords' decoding graph, where they were said, and how well they fit.

A file of keywords has the format of a grammar (`grammar`): each sentence is a keyword, of one word or several. A loop
of all phones, the filler, stands for anything else that is said before, between and after them (Rose and Paul 1990, "A
hidden Markov model based keyword recognition system").
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .confidence import misfit
from .grammar import Acceptor, Classes, accepting, read_grammar
from .topology import ENTRY
from .vocabulary import ContextTree, Vocabulary

FILLER_COST = 1.0
"""nats that a phone of the loop costs more than one of a keyword: how much worse than the loop a keyword may score and
still be found. What is found is then judged by its misfit (our choice)"""
_NONE: Classes = {}


@dataclass(frozen=True)
class Hit:
    """A keyword that was said."""

    text: str
    start: float
    """seconds from the beginning of the utterance"""
    end: float
    """seconds from the beginning of the utterance"""
    misfit: float
    """`confidence.misfit` of its frames, nats"""


class _Segment(NamedTuple):
    """A phone of a path."""

    phone: int
    first: int
    """its first frame"""
    last: int
    """the frame after its last one"""


class Keywords:
    """The keywords of a file, and their decoding graph."""

    def __init__(self, path: Path, lexicon: Vocabulary, tree: ContextTree, classes: Classes = _NONE) -> None:
        """Read the file, and compile the graph.

        Raises:
            DeviceError: see `grammar_graph`.
        """
        self._acceptor = spoken = read_grammar(path, lexicon, classes)
        self._fillers = range(len(lexicon.words), len(lexicon.words) + len(lexicon.phones) - 2)
        phones = [phone for phone in range(1, len(lexicon.phones)) if phone != lexicon.silence]
        names = [f"<{lexicon.phones[phone]}>" for phone in phones]
        said = {word: lexicon.pronunciations[word] for word in spoken.words}
        said |= {name: ((phone,),) for name, phone in zip(names, phones)}
        self.vocabulary = replace(lexicon, words=[*lexicon.words, *names], pronunciations=said)
        # An arc without a word leads from the end of each sentence back to the start, to which no sentence has an arc.
        loops = [(0, 0, name) for name in names] + [(end, 0, "") for end in spoken.ends]
        anything = Acceptor([*spoken.arcs, *loops], [0], spoken.states)
        self.graph = accepting(anything, self.vocabulary, tree, dict.fromkeys(names, FILLER_COST))
        self._states = tree.states()

    def hits(
        self, words: Sequence[int], labels: Sequence[int], scores: np.ndarray, silences: Collection[int], shift: float,
        most_misfit: float | None = None,
    ) -> list[Hit]:  # fmt: skip
        """Return the keywords on a path.

        Args:
            words: word ids of the path.
            labels: senone of each frame of the path.
            scores: (frames, senones), scaled, as in the search.
            silences: senones of silence.
            shift: seconds between frames.
            most_misfit: keywords with a greater misfit are left out; None: none are.
        """
        found = []
        for text, first, last in self._spans(words, self._segments(labels, silences)):
            apart = misfit(scores[first:last], labels[first:last], silences)
            if most_misfit is None or (apart is not None and apart <= most_misfit):
                found.append(Hit(text, shift * first, shift * last, math.inf if apart is None else apart))
        return found

    def count(self, sentence: Sequence[str]) -> list[str]:
        """Return the keywords in a sentence, from left to right, each as long as possible."""
        found, here = [], 0
        while here < len(sentence):
            length = self._acceptor.longest(sentence[here:])
            if length:
                found.append(" ".join(sentence[here : here + length]))
            here += max(1, length)
        return found

    def _segments(self, labels: Sequence[int], silences: Collection[int]) -> list[_Segment]:
        """Return the phones of a path but silence; a phone begins at each senone of the pdf-class `ENTRY`."""
        begins = [n for n, senone in enumerate(labels) if self._states[senone][1] == ENTRY]
        return [
            _Segment(self._states[labels[first]][0], first, last)
            for first, last in zip(begins, [*begins[1:], len(labels)])
            if labels[first] not in silences
        ]

    def _spans(self, words: Sequence[int], segments: Sequence[_Segment]) -> Iterator[tuple[str, int, int]]:
        """Yield the text of each keyword, its first frame and the frame after its last."""
        lengths = self._lengths(words, [one.phone for one in segments])
        place, run = 0, list[tuple[str, int, int]]()
        for word, length in zip(words, lengths):
            if word in self._fillers:
                yield from self._phrases(run)
                run = []
            else:
                run.append((self.vocabulary.words[word], segments[place].first, segments[place + length - 1].last))
            place += length
        yield from self._phrases(run)

    def _phrases(self, run: list[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
        """Yield the keywords in words that follow one another without a filler, each as long as possible."""
        while run:
            length = self._acceptor.longest([word for word, _, _ in run]) or 1
            yield " ".join(word for word, _, _ in run[:length]), run[0][1], run[length - 1][2]
            run = run[length:]

    def _lengths(self, words: Sequence[int], phones: Sequence[int]) -> list[int]:
        """Return how many of the phones each word has: those of the pronunciation that is there.

        A path that has not ended may have words whose phones have not all been said yet: these are left out.
        """
        ways: dict[int, list[int]] = {0: []}
        for word in words:
            spoken = self.vocabulary.pronunciations[self.vocabulary.words[word]]
            further = {
                place + len(one): [*before, len(one)]  # of two ways to one place, either will do
                for place, before in ways.items()
                for one in spoken
                if tuple(phones[place : place + len(one)]) == tuple(one)
            }
            if not further:
                break
            ways = further
        return ways.get(len(phones)) or max(ways.items())[1]
