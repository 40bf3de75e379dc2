"""Online recognition of audio as it arrives: words so far, and utterances, which end at pauses or by length."""

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
    """An online recogniser: audio in blocks to events."""

    def __init__(self, recogniser: Recogniser, patience: EndpointOptions, times: bool = True) -> None:
        ModelStream(recogniser.model)  # raises if the model cannot stream, before any audio is read
        if not STACKED_SHIFT <= patience.piece < patience.longest:
            raise UserError(f"{patience}: a piece lasts {STACKED_SHIFT} s or more, and less than the longest utterance")
        self._recogniser, self._patience, self._times = recogniser, patience, times
        self._silence = frozenset(recogniser.silences)

    def events(self, blocks: Iterable[np.ndarray]) -> Iterator[Event]:
        """Yield an event whenever words change or become final.

        An utterance without words yields no event, unless there was no other event: any audio has a final one.
        Words that may still change are shown whatever their confidence: the words of an utterance that is rejected in
        the end have been shown by then.
        The final words of an utterance without a pause in it, up to the longest, are those that `Recogniser.hear`
        finds in the whole of it.

        Args:
            blocks: samples in blocks of any length, (length,) float32 in ±1 at 16 kHz.
        """
        return events(blocks, self._utterance, self._patience, SAMPLE_RATE)

    def _utterance(self) -> _Utterance:
        return _Utterance(self._recogniser, self._silence, self._times)


class _Utterance:
    """The recognition of one utterance, piece by piece."""

    def __init__(self, recogniser: Recogniser, silence: frozenset[int], times: bool) -> None:
        self.samples = 0
        self._silence, self._times = silence, times
        self.search = SearchStream(recogniser.graph, recogniser.beams, engine=recogniser.engine)
        self._recogniser = recogniser
        self._features, self._model = FeatureStream(recogniser.normaliser), ModelStream(recogniser.model)

    def hear(self, samples: np.ndarray) -> bool:
        """Recognise more samples. Returns whether the words have changed."""
        before, self.samples = self.search.words, self.samples + len(samples)
        self._search(self._model(torch.from_numpy(self._features(samples))))
        return self.search.words != before

    def so_far(self) -> Heard:
        """Return the words so far, without times."""
        words = [self._recogniser.vocabulary.words[word] for word in self.search.words]
        return Heard([Word(text, 0.0, 0.0, 0.0) for text in words], self.samples / SAMPLE_RATE, False)

    @property
    def begun(self) -> bool:
        """Whether any words were found so far."""
        return bool(self.search.words)

    @property
    def quiet(self) -> float:
        """Seconds of silence at the end of the best path."""
        return STACKED_SHIFT * trailing(self.search.senones, self._silence)

    def finish(self) -> Heard:
        """Return all words, as `Recogniser.hear` does."""
        self._search(self._model(torch.from_numpy(self._features.finish())))
        self._search(self._model.finish())
        found, scores = self.search.finish(Wanted(DRAWS if self._times else 0, path=True)), self.search.scores
        # Audio too short for a frame does not count as a failed search.
        found = replace(found, empty=found.empty and len(scores) > 0)
        return self._recogniser.heard(found, scores, self.samples / SAMPLE_RATE, self._times)

    def _search(self, logits: torch.Tensor) -> None:
        posteriors = logits.log_softmax(1)
        self.search(self._recogniser.scales.scores(posteriors, self._recogniser.model.log_priors))
