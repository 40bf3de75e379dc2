"""Online recognition: audio is recognised as it arrives, and its words are printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from understudy.corpus.audio import audio_files, read_audio, tell_of_low_rates
from understudy.decode.audio import standard_input
from understudy.decode.listener import Listener
from understudy.decode.options import ListenOptions
from understudy.decode.recogniser import adapted
from understudy.device.endpointing import Event
from understudy.step import UserError, to_json


def listen(options: ListenOptions) -> None:
    """Recognise files one after the other, or standard input.

    Raises:
        UserError: at the end, if some files could not be read; before, if no audio is named.
    """
    if not options.audio:
        raise UserError("name audio files, folders, or - for standard input")
    live = options.audio == [Path("-")]
    files = [] if live else audio_files(options.audio)
    listener = Listener(adapted(options), options.patience, options.format == "json")
    if live:
        with standard_input(options.channel) as recording:
            _tell(listener.events(recording), "-", options.format)
        return
    faults = []
    tell_of_low_rates(files)
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
        if event.final and event.heard.rejected:
            told = f"{name}: words from {start:.2f} to {end:.2f} s are not told: {event.heard.why}"
            print(f"warning: {told}", file=sys.stderr)
        if form == "json":
            print(to_json(_news(event, name, end, text), name, ensure_ascii=False), flush=True)
        elif event.final:
            _clear()
            print(f"{name} {start:.2f} {end:.2f} {text}", flush=True)
        elif sys.stderr.isatty():
            _clear()
            print(f"\r{text}", end="", file=sys.stderr, flush=True)


def _clear() -> None:
    """Erase the words so far from the terminal."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _news(event: Event, name: str, end: float, text: str) -> dict:
    news = {"file": name, "final": event.final, "start": round(event.start, 3), "end": round(end, 3), "text": text}
    if event.final:
        news |= {"empty": event.heard.empty, "rejected": event.heard.rejected}
        news["words"] = [
            {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(word).items()}
            for word in event.heard.words
        ]
    return news
