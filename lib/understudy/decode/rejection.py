"""The least confidence with which words are told: chosen on speech that a model has not learnt from."""

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

_BATCH = 20  # utterances that are heard at once


@dataclass(frozen=True)
class Said:
    """An utterance, or a sound without words, and what was found in it."""

    words: int
    """that are in it"""
    found: int
    """words that were found"""
    errors: int
    """of these, and of those that were missed"""
    confidence: float | None
    """None: no words were found"""
    seconds: float
    shares: list[float] = field(default_factory=list)
    """of the alternatives that have each word that was found, where they were drawn"""
    right: list[bool] = field(default_factory=list)
    """whether each of these words was said"""
    speaker: str = ""


@dataclass(frozen=True)
class Rule:
    """A least confidence, and what it does to the speech that it was chosen on."""

    least: float
    rejected: int
    """utterances"""
    errors: tuple[int, int]
    """without it, and with it"""


def hear(recogniser: Recogniser, cuts: Iterable[Cut], ways: Sequence[Way] = (), draws: int = 0) -> Iterator[Said]:
    """What the recogniser finds in cuts with features, whatever its least confidence.

    Args:
        ways: in which texts are made alike before they are compared.
        draws: alternatives that are drawn of each; 0: nothing is known of single words.
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
    """The highest least confidence that costs at most `loss` of the errors more: what is rejected has no words at all.

    Where it costs more to reject a single utterance, it lies just below all of them. To lose words that are wrong costs
    nothing, so that a poor model would lose most of what it hears, if it were not for `share`.

    Args:
        loss: 0.01 is a hundredth.
        share: of the utterances in which words were found, that may be rejected at most.

    Returns:
        The rule; None: in none of the speech were words found, so that there is nothing to choose by.
    """
    told = ((one.confidence, one) for one in speech if one.confidence is not None)
    sure = sorted(told, key=lambda pair: pair[0])
    if not sure:
        return None
    before = now = sum(one.errors for one in speech)
    lowest = sure[0][0]
    best = Rule(_below(lowest - 1, lowest), 0, (before, before))
    for number, ((least, one), (above, _)) in islice(enumerate(pairwise(sure), 1), int(share * len(sure))):
        now += one.words - one.errors  # all of its words are lost, and nothing is wrong
        if now <= before * (1 + loss) and least < above:
            best = Rule(_below(least, above), number, (before, now))
    return best


def _below(low: float, high: float) -> float:
    """Between two confidences, so that rounding elsewhere puts none on the other side; no further than it need be."""
    return high - min((high - low) / 2, 0.01)


def misfits(recogniser: Recogniser, cuts: Sequence[Cut]) -> list[float]:
    """Of cuts with features whose own transcripts, and no other sentences, can be heard: of those that are heard right.

    Cuts with words that the recogniser has not are left out.
    """
    from understudy.device.grammar import Acceptor, accepting  # brings OpenFst

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
    """What a share of the values may be above, and no more; None: there are none."""
    return sorted(values)[-1 - int(share * len(values))] if values else None


def false_words(sounds: Sequence[Said], least: float | None = None) -> float:
    """Words a minute that are told of sounds without words."""
    told = sum(one.found for one in sounds if one.confidence is not None and one.confidence >= (least or -math.inf))
    return 60 * told / sum(one.seconds for one in sounds)
