#!/usr/bin/env python3
"""Listening as audio arrives: its cost, how late it answers, and whether it ends with what is found in the whole.

e.g.: tests/bench/listen.py recordings/ --recogniser exp/recogniser

Audio is fed at once, so that latency is what the computation adds: it comes on top of the piece that is waited for,
the frames that a delayed model waits for, and what the words themselves take to be said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from understudy.corpus.audio import audio_files, read_audio
from understudy.decode.listener import Listener
from understudy.decode.recogniser import Recogniser
from understudy.device.endpointing import EndpointOptions
from understudy.features.frames import SAMPLE_RATE
from understudy.step import command


@dataclass
class Options:
    """What is timed."""

    recogniser: Path
    """folder of steps/pack.py"""
    audio: list[Path] = field(default_factory=list)
    """files, and folders of files, of an utterance each"""
    pieces: tuple[float, ...] = (0.15, 0.3, 0.6)
    """seconds of audio searched at once, one table row each"""


def run(options: Options) -> None:
    """Print a row for each length of piece, after one for the whole utterances."""
    torch.set_num_threads(1)
    recogniser = Recogniser(options.recogniser)
    audio = [read_audio(path) for path in audio_files(options.audio)]
    hours = sum(map(len, audio)) / SAMPLE_RATE / 3600
    begun = time.process_time()
    whole = [" ".join(w.text for w in recogniser.hear([samples], False)[0].words) for samples in audio]
    print(f"{len(audio)} utterances, {3600 * hours:.0f} s; whole: {(time.process_time() - begun) / hours:.0f} CPU s/h")
    print("piece s | CPU s/h | piece ms: median, 95 % | end ms: median, 95 % | as whole | last news as whole")
    for piece in options.pieces:
        _row(
            Listener(recogniser, EndpointOptions(piece, pause=0, idle=0, longest=1e9), False),
            piece,
            audio,
            whole,
            hours,
        )


def _row(listener: Listener, piece: float, audio: list[np.ndarray], whole: list[str], hours: float) -> None:
    begun = time.process_time()
    pieces, ends, equal, before = [], [], 0, 0
    for samples, expected in zip(audio, whole, strict=True):
        clock, text, late = _Clock(samples, round(piece * SAMPLE_RATE)), "", ""
        for event in listener.events(clock):
            text, late = " ".join(w.text for w in event.heard.words), text
        ends.append(clock.lap())
        pieces += clock.laps
        equal += text == expected
        before += late == expected
    cost = (time.process_time() - begun) / hours
    figures = [1000 * np.percentile(values, q) for values in (pieces, ends) for q in (50, 95)]
    print(
        f"{piece:7.2f} | {cost:7.0f} | {figures[0]:10.1f}, {figures[1]:10.1f} | {figures[2]:9.1f}, {figures[3]:9.1f} "
        f"| {equal:4} of {len(audio)} | {before} of {len(audio)}"
    )


class _Clock:
    """Pieces of samples, with the time that passes between them."""

    def __init__(self, samples: np.ndarray, size: int) -> None:
        self.laps: list[float] = []
        self._samples, self._size = samples, size
        self._last = 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        for begin in range(0, len(self._samples), self._size):
            if begin:
                self.laps.append(self.lap())
            self._last = time.perf_counter()
            yield self._samples[begin : begin + self._size]

    def lap(self) -> float:
        """Seconds since the last piece was given, or the last lap."""
        now, last = time.perf_counter(), self._last
        self._last = now
        return now - last


if __name__ == "__main__":
    command(Options, run, first="audio")
