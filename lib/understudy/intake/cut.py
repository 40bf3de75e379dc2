"""Long recordings without transcripts become utterances: stretches of speech, of bounded length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.corpus.audio import SAMPLE_RATE
from understudy.intake.convert import Heard
from understudy.intake.options import CutOptions
from understudy.intake.piece import Piece, stamp
from understudy.intake.speech import WINDOW, Stretch, listen
from understudy.step import counted, few, log

if TYPE_CHECKING:
    from understudy.parallel.workers import Workers

Found = list[tuple[Piece, Heard]]
Span = tuple[int, int]
"""First sample, and the one behind the last"""


@dataclass
class Cutting:
    """What became of the long recordings; hours are of audio."""

    recordings: int = 0
    hours: float = 0.0
    utterances: int = 0
    hours_in_utterances: float = 0.0
    """what stands in two utterances counts once"""
    hours_in_two: float = 0.0
    """overlap of the utterances that a stretch was divided into"""
    divided: int = 0
    """stretches of speech that were longer than an utterance may be"""
    too_short: int = 0
    """stretches of speech that were left out"""
    hours_too_short: float = 0.0
    silent: list[str] = field(default_factory=list)
    """recordings that no utterance came of"""

    def told(self) -> dict[str, Any]:
        """For report.json."""
        kept = {name: value for name, value in vars(self).items() if name != "silent"}
        return {**kept, "hours_left_out": self.hours - self.hours_in_utterances, "without_speech": len(self.silent)}

    def say(self, options: CutOptions) -> None:
        """One paragraph of the log."""
        log.info(
            "%s without transcripts and longer than %g s, %.2f h, cut into %s where there is speech: %.2f h are in "
            "them, %.2f h are left out; stretches of speech shorter than %g s: %d (%.3f h), left out; longer ones than "
            "an utterance may be: %d, divided, with %.3f h in two utterances",
            counted(self.recordings, "recording"), options.longest, self.hours, counted(self.utterances, "utterance"),
            self.hours_in_utterances, self.hours - self.hours_in_utterances, options.shortest, self.too_short,
            self.hours_too_short, self.divided, self.hours_in_two,
        )  # fmt: skip
        if self.silent:
            log.warning("no speech was found in %d of them, which are left out: %s", len(self.silent),
                        few(self.silent))  # fmt: skip


def cut_long(
    found: Found, options: CutOptions, folder: Path, workers: Workers, fault: Callable[[str, str], None]
) -> tuple[Found, Cutting]:
    """Pieces with their audio, of which those without text that are too long are cut; nothing of the audio is copied.

    Args:
        folder: of what the detector finds; what is there already is not looked for again.
        fault: told of the recordings that cannot be read: a few words to count by, and a sentence.

    Raises:
        UserError: there is something to cut, and no detector.
    """
    long = {i: stretch for i, one in enumerate(found) if (stretch := _long(*one, options))}
    told, kept = Cutting(), list[tuple[Piece, Heard]]()
    heard = listen(list(long.values()), folder, workers) if long else iter(())
    for i, (piece, audio) in enumerate(found):
        if i not in long:
            kept.append((piece, audio))
            continue
        if isinstance(path := next(heard), str):
            fault("audio cannot be read", path)
            continue
        stretch = long[i]
        spans = _utterances(np.load(path), stretch.stop - stretch.start, options, told)
        kept += [(_part(piece, stretch.start + first, stretch.start + last), audio) for first, last in spans]
        told.recordings, told.utterances = told.recordings + 1, told.utterances + len(spans)
        told.hours += stretch.seconds / 3600
        if not spans:
            told.silent.append(piece.id)
    if long:
        told.say(options)
    return kept, told


def _long(piece: Piece, heard: Heard, options: CutOptions) -> Stretch | None:
    """The audio of a piece that is to be cut."""
    start = round(SAMPLE_RATE * piece.start)
    stop = heard.num_samples if piece.end is None else min(round(SAMPLE_RATE * piece.end), heard.num_samples)
    stretch = Stretch(piece.id, heard.path, start, stop)
    if options.longest is None or stretch.seconds <= options.longest or (piece.text or "").strip():
        return None
    return stretch


def _part(piece: Piece, first: int, last: int) -> Piece:
    """A stretch of a piece's audio, in samples of that, which becomes a piece."""
    start, end = first / SAMPLE_RATE, last / SAMPLE_RATE
    return replace(piece, id=f"{piece.id}-{stamp(start)}-{stamp(end)}", start=start, end=end)


def _hours(samples: int) -> float:
    return samples / SAMPLE_RATE / 3600


def _utterances(probabilities: np.ndarray, length: int, options: CutOptions, told: Cutting) -> list[Span]:
    """Of a recording of so many samples, the utterances; counts what is left out, and what is divided."""
    shortest, longest, padding, overlap = (
        round(SAMPLE_RATE * one) for one in (options.shortest, options.longest or 0, options.padding, options.overlap)
    )
    spans = speech_spans(probabilities, length, options)
    kept = [span for span in spans if span[1] - span[0] >= shortest]
    told.too_short += len(spans) - len(kept)
    told.hours_too_short += _hours(sum(last - first for first, last in spans if last - first < shortest))
    found: list[Span] = []
    for span in padded(kept, length, padding):
        parts = divided(span, probabilities, longest, overlap)
        told.divided += len(parts) > 1
        told.hours_in_utterances += _hours(span[1] - span[0])
        told.hours_in_two += _hours(sum(last - first for first, last in parts) - (span[1] - span[0]))
        found += parts
    return found


def speech_spans(probabilities: np.ndarray, length: int, options: CutOptions) -> list[Span]:
    """Stretches of speech by the detector's own rule, in order and apart, without padding, however short or long.

    One begins at a window of at least the threshold, and ends where `pause` seconds are below it less 0.15.

    Args:
        probabilities: (windows,).
        length: of the audio, in samples.
    """
    from silero_vad import get_speech_timestamps_from_probs

    spans = get_speech_timestamps_from_probs(
        probabilities.tolist(), SAMPLE_RATE, options.threshold, min_speech_duration_ms=0,
        min_silence_duration_ms=1000 * options.pause, speech_pad_ms=0, audio_length_samples=length,
    )  # fmt: skip
    return [(one["start"], one["end"]) for one in spans]


def padded(spans: list[Span], length: int, padding: int) -> list[Span]:
    """Each longer by the padding at both ends, or by half of the gap between two, and within the audio."""
    middles = [(left[1] + right[0]) // 2 for left, right in pairwise(spans)]
    return [
        (max(first - padding, low), min(last + padding, high))
        for (first, last), low, high in zip(spans, [0, *middles], [*middles, length])
    ]


def divided(span: Span, probabilities: np.ndarray, longest: int, overlap: int) -> list[Span]:
    """A stretch that is longer, in parts of about one length that overlap; our choice.

    Between two parts, the middle of the overlap is where speech is least likely, within a quarter of a part of where
    parts of one length would meet.

    Args:
        probabilities: of all windows of the audio, (windows,).
        longest: in samples, as `overlap`.
    """
    first, last = span
    if last - first <= longest:
        return [span]
    # A part is at most one and a half of the mean, and half of the overlap at both ends.
    number = ceil(1.5 * (last - first) / (longest - overlap - WINDOW))
    each = (last - first) / number
    meet = [_least_likely(probabilities, first + k * each, each / 4) for k in range(1, number)]
    return [
        (max(low - overlap // 2, first), min(high + overlap // 2, last))
        for low, high in zip([first, *meet], [*meet, last])
    ]


def _least_likely(probabilities: np.ndarray, around: float, reach: float) -> int:
    """Middle of the window nearest to a place, among those within reach of it whose neighbourhood is least likely."""
    low, high = ceil((around - reach) / WINDOW), int((around + reach) / WINDOW)
    near = np.convolve(probabilities[low - 1 : high + 1].astype(np.float32), np.full(3, 1 / 3), "valid")
    places = (np.arange(low, low + len(near)) + 0.5) * WINDOW
    return int(min(zip(near.round(3), np.abs(places - around), places))[2])
