"""A recogniser that hears audio as it arrives: words so far, and utterances, which pauses or their length end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import k2
import numpy as np
import torch

from understudy.decode.recogniser import DRAWS, Heard, Recogniser
from understudy.decode.search import Wanted
from understudy.decode.stream import SearchStream, online_graph, trailing
from understudy.decode.words import Word
from understudy.features import STACKED_SHIFT
from understudy.features.frames import SAMPLE_RATE
from understudy.features.stream import FeatureStream
from understudy.models.stream import ModelStream
from understudy.stage import UserError


@dataclass(frozen=True)
class Patience:
    """How an utterance ends; all in seconds."""

    piece: float = 0.3
    """of audio that is searched at once: shorter answers sooner and costs more"""
    pause: float = 0.8
    """of silence after words; 0: it ends with the audio"""
    idle: float = 5.0
    """of silence without a word, which is then forgotten; 0: never"""
    longest: float = 30.0
    """an utterance is ended here whatever is said"""


@dataclass(frozen=True)
class Event:
    """News of what is heard."""

    final: bool
    """the utterance has ended, and its words stay"""
    start: float
    """of the utterance, seconds from the beginning of the audio"""
    heard: Heard
    """words so far have neither times nor confidences"""


class Listener:
    """Audio in pieces to events."""

    def __init__(self, recogniser: Recogniser, patience: Patience = Patience(), times: bool = True) -> None:
        ModelStream(recogniser.model)  # refuses one that cannot, before any audio is heard
        if not STACKED_SHIFT <= patience.piece < patience.longest:
            raise UserError(f"{patience}: a piece lasts {STACKED_SHIFT} s or more, and less than the longest utterance")
        self._recogniser, self._patience, self._times = recogniser, patience, times
        self._online = online_graph(recogniser.graph)
        self._silence = frozenset(
            senone for senone, (phone, _) in enumerate(recogniser.tree.states()) if phone == recogniser.lexicon.silence
        )

    def events(self, blocks: Iterable[np.ndarray]) -> Iterator[Event]:
        """Of blocks of samples of any length, (length,) float32 in ±1 at 16 kHz: whenever words change or stay.

        Of an utterance without words there is no event, unless there were no others: any audio has a last one.
        Without a pause in it, and up to the longest, an utterance ends with the words that `Recogniser.hear` finds in
        the whole of it.
        """
        piece = round(self._patience.piece * SAMPLE_RATE)
        utterance, waiting, begin = _Utterance(self._recogniser, self._online), np.zeros(0, np.float32), 0
        told = False
        for block in blocks:
            waiting = np.concatenate([waiting, block])
            while len(waiting) >= piece:
                changed = utterance.hear(waiting[:piece])
                waiting = waiting[piece:]
                if self._over(utterance):
                    last = utterance.finish(self._times)
                    if last.words or last.empty:
                        told = True
                        yield Event(True, begin / SAMPLE_RATE, last)
                    begin += utterance.samples
                    utterance = _Utterance(self._recogniser, self._online)
                elif changed:
                    yield Event(False, begin / SAMPLE_RATE, utterance.so_far())
        utterance.hear(waiting)
        last = utterance.finish(self._times)
        if last.words or last.empty or not told:
            yield Event(True, begin / SAMPLE_RATE, last)

    def _over(self, utterance: _Utterance) -> bool:
        quiet = STACKED_SHIFT * trailing(utterance.search.senones, self._silence)
        most = self._patience.pause if utterance.search.words else self._patience.idle
        return 0 < most <= quiet or utterance.samples / SAMPLE_RATE + self._patience.piece > self._patience.longest


class _Utterance:
    """From samples to words, a piece at a time."""

    def __init__(self, recogniser: Recogniser, online: k2.Fsa) -> None:
        self.samples = 0
        self.search = SearchStream(recogniser.graph, online, recogniser.beams)
        self._recogniser = recogniser
        self._features, self._model = FeatureStream(recogniser.normaliser), ModelStream(recogniser.model)

    def hear(self, samples: np.ndarray) -> bool:
        """Whether the words have changed."""
        before, self.samples = self.search.words, self.samples + len(samples)
        self._search(self._model(torch.from_numpy(self._features(samples))))
        return self.search.words != before

    def so_far(self) -> Heard:
        """Words without times."""
        words = [self._recogniser.lexicon.words[word] for word in self.search.words]
        return Heard([Word(text, 0.0, 0.0, 0.0) for text in words], self.samples / SAMPLE_RATE, False)

    def finish(self, times: bool) -> Heard:
        """All words, as `Recogniser.hear` tells them."""
        self._search(self._model(torch.from_numpy(self._features.finish())))
        self._search(self._model.finish())
        found = self.search.finish(Wanted(DRAWS if times else 0))
        words = self._recogniser.words(found, self.search.scores, times)
        # What is too short for a frame is not lost by the search.
        return Heard(words, self.samples / SAMPLE_RATE, found.empty and len(self.search.scores) > 0)

    def _search(self, logits: torch.Tensor) -> None:
        posteriors = logits.log_softmax(1)
        self.search(self._recogniser.scales.scores(posteriors, self._recogniser.model.log_priors))
