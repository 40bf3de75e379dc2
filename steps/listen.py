#!/usr/bin/env python3
"""Listen to audio as it arrives, with a recogniser (steps/pack.py): words so far, then each utterance as it ends.

e.g.: arecord -q -t raw -f S16_LE -r 16000 -c 1 | steps/listen.py - --recogniser exp/recogniser
      steps/listen.py recording.wav recordings/ --recogniser exp/recogniser --format json

`-` is standard input: 16 kHz, 16 bits a sample, as WAV or, of one channel, without a header. A model that needs the
whole utterance (a bidirectional one) cannot listen; steps/transcribe.py takes any.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from understudy.decode.audio import audio_files, read_audio, standard_input
from understudy.decode.listener import Listener
from understudy.decode.recogniser import Recogniser
from understudy.device.events import Event, Patience
from understudy.stage import UserError, command


@dataclass
class Options:
    """What to listen to."""

    recogniser: Path
    """folder of steps/pack.py"""
    audio: list[Path] = field(default_factory=list)
    """files and folders of files, or - for standard input"""
    format: Literal["text", "json"] = "text"
    """a line for each utterance, the words so far on a terminal only; or an object for each piece of news"""
    patience: Patience = field(default_factory=Patience)
    """how an utterance ends"""
    channel: int | None = None
    """of audio with several"""


def run(options: Options) -> None:
    """Listen to one after the other; what cannot be read is said at the end, and the status is 1."""
    if not options.audio:
        raise UserError("name audio files, folders, or - for standard input")
    live = options.audio == [Path("-")]
    files = [] if live else audio_files(options.audio)
    listener = Listener(Recogniser(options.recogniser), options.patience, options.format == "json")
    if live:
        with standard_input(options.channel) as recording:
            _tell(listener.events(recording), "-", options.format)
        return
    faults = []
    for path in files:
        try:
            samples = read_audio(path, options.channel)
        except UserError as error:
            faults.append(error)
            continue
        _tell(listener.events([samples]), str(path), options.format)
    for fault in faults:
        print(f"warning: not heard: {fault}", file=sys.stderr)
    if faults:
        raise UserError(f"{len(faults)} files were not heard")


def _tell(events: Iterator[Event], name: str, form: str) -> None:
    for event in events:
        text = " ".join(word.text for word in event.heard.words)
        start, end = event.start, event.start + event.heard.seconds
        if event.heard.empty:
            print(f"warning: {name}: nothing was found from {start:.2f} to {end:.2f} s", file=sys.stderr)
        if form == "json":
            print(json.dumps(_news(event, name, end, text), ensure_ascii=False), flush=True)
        elif event.final:
            _clear()
            print(f"{name} {start:.2f} {end:.2f} {text}", flush=True)
        elif sys.stderr.isatty():
            _clear()
            print(f"\r{text}", end="", file=sys.stderr, flush=True)


def _clear() -> None:
    """Take the words so far off the terminal."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _news(event: Event, name: str, end: float, text: str) -> dict:
    news = {"file": name, "final": event.final, "start": round(event.start, 3), "end": round(end, 3), "text": text}
    if event.final:
        news["empty"] = event.heard.empty
        news["words"] = [
            {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(word).items()}
            for word in event.heard.words
        ]
    return news


if __name__ == "__main__":
    command(Options, run, first="audio")
