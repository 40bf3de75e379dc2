"""Words of an utterance with their times and confidences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from understudy.align.graph import ENTRY_LOOP, alignment_graph
from understudy.align.viterbi import viterbi
from understudy.device.vocabulary import ContextTree, Vocabulary
from understudy.features import STACKED_SHIFT
from understudy.lang.phone_graph import word_of_node


@dataclass(frozen=True)
class Word:
    """One recognised word."""

    text: str
    start: float
    """seconds"""
    end: float
    """seconds"""
    confidence: float
    """probability that the word is right (`understudy.device.word_confidence`); in a recogniser without calibration,
    the share of the search's alternatives, drawn by their probability, that have this word here"""


def spans(words: Sequence[str], scores: Tensor, lexicon: Vocabulary, tree: ContextTree) -> list[tuple[float, float]]:
    """Return start and end of each word in seconds, from an alignment of the words with the speech.

    The search finds no times: its graph has a word's label where the word becomes certain, not where it is spoken.

    Args:
        scores: pseudo log-likelihoods, (frames, senones).

    Returns:
        A pair for each word; all zero where the speech has fewer frames than the words have phones.
    """
    pronunciations = [[list(p) for p in lexicon.pronunciations[word]] for word in words]
    if not words:
        return []
    graph = alignment_graph(pronunciations, lexicon.silence, ENTRY_LOOP, tree.senone)
    (found,) = viterbi([graph], [scores])
    if found is None:
        return [(0.0, 0.0)] * len(words)
    owner = word_of_node(pronunciations)
    frames: dict[int, list[int]] = {}
    for frame, state in enumerate(found[0].tolist()):
        frames.setdefault(owner[graph.instances[state]], []).append(frame)
    return [(min(frames[i]) * STACKED_SHIFT, (max(frames[i]) + 1) * STACKED_SHIFT) for i in range(len(words))]
