"""A recogniser that hears audio as it arrives: words so far, and utterances, which pauses or their length end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch

from understudy.decode.recogniser import Heard, Recogniser
from understudy.decode.search import Wanted
from understudy.decode.stream import SearchStream, trailing
from understudy.decode.word_times import Word
from understudy.device.endpointing import EndpointOptions, Event, events
from understudy.device.word_confidence import DRAWS
from understudy.features import STACKED_SHIFT
from understudy.features.frames import SAMPLE_RATE
from understudy.features.stream import FeatureStream
from understudy.models.stream import ModelStream
from understudy.step import UserError


class Listener:
    """Audio in pieces to events."""

    def __init__(self, recogniser: Recogniser, patience: EndpointOptions, times: bool = True) -> None:
        ModelStream(recogniser.model)  # refuses one that cannot, before any audio is heard
        if not STACKED_SHIFT <= patience.piece < patience.longest:
            raise UserError(f"{patience}: a piece lasts {STACKED_SHIFT} s or more, and less than the longest utterance")
        self._recogniser, self._patience, self._times = recogniser, patience, times
        self._silence = frozenset(recogniser.silences)

    def events(self, blocks: Iterable[np.ndarray]) -> Iterator[Event]:
        """Of blocks of samples of any length, (length,) float32 in ±1 at 16 kHz: whenever words change or stay.

        Of an utterance without words there is no event, unless there were no others: any audio has a last one.
        Words that may still change are told however sure they are: those of an utterance that is rejected in the end
        have been shown by then.
        Without a pause in it, and up to the longest, an utterance ends with the words that `Recogniser.hear` finds in
        the whole of it.
        """
        return events(blocks, self._utterance, self._patience, SAMPLE_RATE)

    def _utterance(self) -> _Utterance:
        return _Utterance(self._recogniser, self._silence, self._times)


class _Utterance:
    """From samples to words, a piece at a time."""

    def __init__(self, recogniser: Recogniser, silence: frozenset[int], times: bool) -> None:
        self.samples = 0
        self._silence, self._times = silence, times
        self.search = SearchStream(recogniser.graph, recogniser.beams, engine=recogniser.engine)
        self._recogniser = recogniser
        self._features, self._model = FeatureStream(recogniser.normaliser), ModelStream(recogniser.model)

    def hear(self, samples: np.ndarray) -> bool:
        """Whether the words have changed."""
        before, self.samples = self.search.words, self.samples + len(samples)
        self._search(self._model(torch.from_numpy(self._features(samples))))
        return self.search.words != before

    def so_far(self) -> Heard:
        """Words without times."""
        words = [self._recogniser.vocabulary.words[word] for word in self.search.words]
        return Heard([Word(text, 0.0, 0.0, 0.0) for text in words], self.samples / SAMPLE_RATE, False)

    @property
    def begun(self) -> bool:
        """Whether there are words."""
        return bool(self.search.words)

    @property
    def quiet(self) -> float:
        """Seconds of silence at the end of the best path."""
        return STACKED_SHIFT * trailing(self.search.senones, self._silence)

    def finish(self) -> Heard:
        """All words, as `Recogniser.hear` tells them."""
        self._search(self._model(torch.from_numpy(self._features.finish())))
        self._search(self._model.finish())
        found, scores = self.search.finish(Wanted(DRAWS if self._times else 0, path=True)), self.search.scores
        # What is too short for a frame is not lost by the search.
        found = replace(found, empty=found.empty and len(scores) > 0)
        return self._recogniser.heard(found, scores, self.samples / SAMPLE_RATE, self._times)

    def _search(self, logits: torch.Tensor) -> None:
        posteriors = logits.log_softmax(1)
        self.search(self._recogniser.scales.scores(posteriors, self._recogniser.model.log_priors))
