"""Rejection: the least confidence with which words are output, chosen on held-out speech."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

import torch
from lhotse.cut import Cut

from understudy.decode.recogniser import Recogniser
from understudy.device.confidence import misfit
from understudy.device.word_confidence import shares
from understudy.features import load_stacked
from understudy.score import errors
from understudy.score.confidence import correct
from understudy.score.normalise import Way, normalise

_BATCH = 20  # utterances that are recognised at once


@dataclass(frozen=True)
class Said:
    """An utterance, or a sound without words, and what was found in it."""

    words: int
    """words that are in it"""
    found: int
    """words that were found"""
    errors: int
    """word errors"""
    confidence: float | None
    """confidence of the utterance; None: no words were found"""
    seconds: float
    shares: list[float] = field(default_factory=list)
    """share of the drawn alternatives that have each found word; empty if none were drawn"""
    right: list[bool] = field(default_factory=list)
    """whether each found word was said; empty if no alternatives were drawn"""
    speaker: str = ""


@dataclass(frozen=True)
class Rule:
    """A least confidence, and its effect on the speech that it was chosen on."""

    least: float
    rejected: int
    """utterances that it rejects"""
    errors: tuple[int, int]
    """word errors without it and with it"""


def hear(recogniser: Recogniser, cuts: Iterable[Cut], ways: Sequence[Way] = (), draws: int = 0) -> Iterator[Said]:
    """Recognise cuts with features; the recogniser's least confidence is ignored.

    Args:
        ways: ways to make texts alike before they are compared.
        draws: alternatives to draw for each cut; 0: single words have no confidence.
    """
    stream = iter(cuts)
    while batch := list(islice(stream, _BATCH)):
        features = [torch.from_numpy(load_stacked(cut, recogniser.normaliser)) for cut in batch]
        for cut, (found, scores) in zip(batch, recogniser.search(features, draws), strict=True):
            spoken, words = cut.supervisions[0], [recogniser.lexicon.words[word] for word in found.words]
            text = (spoken.text or "").split()
            heard, said = normalise(words, ways), normalise(text, ways)
            wrong = errors.count([said], [heard]).errors
            sure = recogniser.confidence(found, scores)
            each = (shares(found.words, found.drawn), correct(text, words, ways)) if draws else ([], [])
            yield Said(len(said), len(heard), wrong, sure, cut.duration, *each, spoken.speaker or cut.id)


def choose(speech: Sequence[Said], loss: float, share: float = 1.0) -> Rule | None:
    """Choose the highest least confidence that raises the word errors by at most `loss`; rejection deletes all words.

    Where rejecting even one utterance would raise them more, it lies just below all confidences. Deleting wrong words
    costs no errors, so that most utterances of a poor model would be rejected, if `share` did not bound their number.

    Args:
        loss: allowed growth of the number of errors; 0.01: by a hundredth.
        share: largest share of the utterances with found words that may be rejected.

    Returns:
        The rule; None where no utterance has found words, so that there is nothing to choose by.
    """
    told = ((one.confidence, one) for one in speech if one.confidence is not None)
    sure = sorted(told, key=lambda pair: pair[0])
    if not sure:
        return None
    before = now = sum(one.errors for one in speech)
    lowest = sure[0][0]
    best = Rule(_below(lowest - 1, lowest), 0, (before, before))
    for number, ((least, one), (above, _)) in islice(enumerate(pairwise(sure), 1), int(share * len(sure))):
        now += one.words - one.errors  # all of its words are deleted, and none are substituted or inserted
        if now <= before * (1 + loss) and least < above:
            best = Rule(_below(least, above), number, (before, now))
    return best


def _below(low: float, high: float) -> float:
    """Return a value between two confidences, apart from both as rounding may differ; at most 0.01 below the higher."""
    return high - min((high - low) / 2, 0.01)


def misfits(recogniser: Recogniser, cuts: Sequence[Cut]) -> list[float]:
    """Return the misfits of the cuts that are recognised correctly when only the cuts' transcripts can be recognised.

    Cuts with words that the recogniser lacks are left out.

    Args:
        recogniser: gives the acoustic model, the vocabulary and the tree.
        cuts: cuts with features.
    """
    from understudy.device.grammar import Acceptor, accepting  # imports OpenFst

    texts = {cut.id: tuple((cut.supervisions[0].text or "").split()) for cut in cuts}
    texts = {
        name: words for name, words in texts.items() if words and all(word in recogniser.lexicon for word in words)
    }
    if not texts:
        return []
    graph = accepting(Acceptor.of(sorted({*texts.values()})), recogniser.vocabulary, recogniser.tree)
    found, stream = [], iter([cut for cut in cuts if cut.id in texts])
    while batch := list(islice(stream, _BATCH)):
        features = [torch.from_numpy(load_stacked(cut, recogniser.normaliser)) for cut in batch]
        for cut, (one, scores) in zip(batch, recogniser.search(features, graph=graph), strict=True):
            apart = misfit(scores.numpy(), one.path, recogniser.silences)
            if apart is not None and tuple(recogniser.vocabulary.words[word] for word in one.words) == texts[cut.id]:
                found.append(apart)
    return found


def highest(values: Sequence[float], share: float) -> float | None:
    """Return the value that at most this share of the values exceed; None: there are no values."""
    return sorted(values)[-1 - int(share * len(values))] if values else None


def false_words(sounds: Sequence[Said], least: float | None = None) -> float:
    """Return the words per minute that are output for sounds without words; `least`: least confidence, None: none."""
    told = sum(one.found for one in sounds if one.confidence is not None and one.confidence >= (least or -math.inf))
    return 60 * told / sum(one.seconds for one in sounds)
