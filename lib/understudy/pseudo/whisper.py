"""A Whisper of CTranslate2 as a recogniser: text of cuts, and its log-probability.

Windows are padded to 30 s, as in training. A longer cut is decoded window by window, each from the end of the last
whole segment of the window before, by Whisper's own time stamps (Radford et al. 2022, section 3.8). The next window is
not conditioned on the text before, and no window is decoded again at another temperature: loops are left to the filters
of `understudy.pseudo.doubt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lhotse.cut import Cut

from understudy.encoders.ctranslate2_whisper import CTranslate2Whisper
from understudy.encoders.options import EncoderOptions
from understudy.encoders.weights import SET_UP, TOKENISER, check_unchanged, digest_of, located
from understudy.features.extract import load_samples
from understudy.features.frames import SAMPLE_RATE
from understudy.pseudo.options import Precision
from understudy.step import UserError

_TICK = SAMPLE_RATE // 50
"""samples between two time stamps"""


class Said(NamedTuple):
    """The transcript of a window or a cut."""

    text: str
    log_probability: float
    """mean log-probability of the tokens and the end, nats"""
    no_speech: float
    """probability that there is no speech; the least of several windows"""
    tokens: int = 1


@dataclass(frozen=True)
class Whisper:
    """Options and files that a process needs to transcribe, with the files' digest."""

    model: str
    language: str
    beam: int
    precision: Precision
    batch: int
    folder: Path = field(init=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Raise UserError where the model or its tokeniser is missing."""
        object.__setattr__(self, "folder", located(self.model).absolute())
        object.__setattr__(self, "digest", digest_of(self.folder))
        if not (self.folder / "model.bin").exists():
            raise UserError(f"{self.folder}: must be a Whisper of CTranslate2, with model.bin. Convert it first.")
        if not (path := self.folder / TOKENISER).exists():
            raise UserError(f"{path}: no such file, and tokens have no letters without it. Fetch it with the model.")

    def __call__(self, cuts: Sequence[Cut]) -> Iterator[Said]:
        """Transcribe cuts, in their order."""
        loaded = load(self)
        stream = iter(cuts)
        while group := list(islice(stream, self.batch)):
            samples = [load_samples(cut) for cut in group]
            short = [one for one in samples if len(one) <= loaded.longest]
            found = iter(loaded.heard(short) if short else [])
            yield from (next(found) if len(one) <= loaded.longest else loaded.heard_long(one) for one in samples)


class Loaded:
    """A model in memory."""

    def __init__(self, whisper: Whisper) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise UserError(f"{whisper.folder}: its tokens need tokenizers, which is not installed. {SET_UP}") from None
        self.folder = whisper.folder
        self.ears = CTranslate2Whisper(whisper.folder, EncoderOptions(whisper.model), whisper.precision)
        self.longest, self.beam, path = self.ears.longest, whisper.beam, whisper.folder / TOKENISER
        try:
            self.tokeniser = Tokenizer.from_file(str(path))
        except Exception as error:  # it has no errors of its own
            raise UserError(f"{path}: cannot be read ({error}). Fetch it with the model.") from None
        self.prompt = [self._id(name) for name in self._prompt(whisper.language)]
        self.end, self.untimed = self._id("endoftext"), self._id("notimestamps")

    def heard(self, windows: list[np.ndarray], timed: bool = False) -> list[Said]:
        """Transcribe windows, (length,) float32 of at most `longest` samples each."""
        return [self._said(ids, one) for ids, one in self._generated(windows, timed)]

    def heard_long(self, samples: np.ndarray) -> Said:
        """Transcribe a longer cut, (length,) float32."""
        begin, parts = 0, []
        while len(samples) - begin > self.longest:
            window = samples[begin : begin + self.longest]
            ((ids, one),) = self._generated([window], timed=True)
            taken, ticks = whole_segments(ids, self.untimed + 1)
            parts.append(self._said(taken, one))
            begin += min(ticks * _TICK, len(window)) or len(window)
        if begin < len(samples):
            parts += self.heard([samples[begin:]])
        tokens = sum(part.tokens for part in parts)
        mean = sum(part.log_probability * part.tokens for part in parts) / tokens
        return Said(" ".join(part.text for part in parts), mean, min(part.no_speech for part in parts), tokens)

    def _generated(self, windows: list[np.ndarray], timed: bool) -> Iterator[tuple[list[int], Any]]:
        """Yield the tokens of each window without prompt and end, and CTranslate2's result."""
        prompt = self.prompt if timed else [*self.prompt, self.untimed]
        results = self.ears.network.generate(
            self.ears.view(np.ascontiguousarray(self.ears.log_mels(windows))), [prompt] * len(windows),
            beam_size=self.beam, return_scores=True, return_no_speech_prob=True,
        )  # fmt: skip
        for one in results:
            yield [number for number in one.sequences_ids[0] if number != self.end], one

    def _said(self, ids: list[int], result: Any) -> Said:
        text = self.tokeniser.decode([number for number in ids if number < self.end])
        return Said(" ".join(text.split()), float(result.scores[0]), float(result.no_speech_prob), len(ids) + 1)

    def _prompt(self, language: str) -> list[str]:
        if self.ears.network.is_multilingual:
            return ["startoftranscript", language, "transcribe"]
        if language != "en":
            raise UserError(f"--language {language}: {self.folder} knows English alone. Take another model.")
        return ["startoftranscript"]

    def _id(self, name: str) -> int:
        if (number := self.tokeniser.token_to_id(f"<|{name}|>")) is None:
            raise UserError(
                f"{self.folder / TOKENISER}: has no token <|{name}|>. Is it Whisper's, and is --language one of "
                "its codes?"
            )
        return number


def whole_segments(ids: list[int], first: int) -> tuple[list[int], int]:
    """Return the tokens of whole segments, and the ticks to the end of the last; all tokens and 0 if that is unknown.

    Two consecutive time stamps end a segment and begin another. A single one at the end means that no speech follows
    in the window.

    Args:
        ids: tokens of the window.
        first: the time stamp of 0 s; each of the following is a tick later.
    """
    stamps = [number >= first for number in ids]
    pairs = [i for i in range(1, len(ids)) if stamps[i - 1] and stamps[i]]
    alone = stamps[-1:] == [True] and stamps[-2:] != [True, True]
    if not pairs or alone:
        return ids, 0
    return ids[: pairs[-1]], ids[pairs[-1] - 1] - first


@lru_cache(1)
def load(whisper: Whisper) -> Loaded:
    """Return this process's model, loaded once. Raises UserError where weights have changed since the step began."""
    check_unchanged(whisper.folder, whisper.digest, "it transcribes")
    return Loaded(whisper)
