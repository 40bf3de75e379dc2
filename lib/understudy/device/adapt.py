"""A decoding graph made on the device: of a user's sentences or keywords, or of the folder's graph and new words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .decoding_graph import DecodingGraph
from .errors import DeviceError
from .grammar import grammar_graph
from .keywords import Keywords
from .places import Places
from .splice import splice
from .vocabulary import ContextTree, Vocabulary
from .wishes import Wishes
from .words import Guess, read_words


@dataclass(frozen=True)
class Adapted:
    """A graph to search, and its vocabulary."""

    graph: DecodingGraph
    vocabulary: Vocabulary
    told: list[str]
    """what the user should know, a sentence each"""
    keywords: Keywords | None = None
    """the keywords that the graph spots; None: it is not for spotting"""


def adapt(
    wishes: Wishes, vocabulary: Vocabulary, tree: ContextTree, guess: Guess,
    whole: Callable[[], tuple[DecodingGraph, Places]],
) -> Adapted:  # fmt: skip
    """Return the graph for a user's wishes.

    Args:
        guess: guesses the pronunciation of a word that has none.
        whole: returns the folder's graph and its places; called only where there are neither sentences nor keywords.

    Raises:
        DeviceError: something is wrong with the sentences or words, or graph and places do not belong together.
    """
    if wishes.grammar and wishes.keywords:
        raise DeviceError("--grammar and --keywords: sentences that alone are heard, or keywords in whatever is said.")
    graph, places = (None, None) if wishes.grammar or wishes.keywords else whole()
    if places and graph and places.states != graph.states - 1:
        raise DeviceError(
            f"the places are of a graph of {places.states} states, this one has {graph.states - 1}. Copy or make the "
            "folder again."
        )
    told, classes, spoken = [], {}, {}
    if wishes.words is not None:
        added = read_words(wishes.words, vocabulary, places.names if places else None, guess)
        vocabulary, spoken, told = added.vocabulary, added.spoken, added.told()
        classes = {name: {vocabulary.words[one.word] for one in of} for name, of in spoken.items()}
    if wishes.grammar is not None:
        return Adapted(grammar_graph(wishes.grammar, vocabulary, tree, classes), vocabulary, told)
    if wishes.keywords is not None:
        keywords = Keywords(wishes.keywords, vocabulary, tree, classes)
        return Adapted(keywords.graph, keywords.vocabulary, told, keywords)
    if graph is None or places is None:
        raise RuntimeError("no graph to set words into")
    return Adapted(splice(graph, places, spoken, tree), vocabulary, told)
