#!/usr/bin/env python3
"""Transcribe audio files with a recogniser (steps/pack.py): text, CTM with times and confidences, or JSON.

e.g.: steps/transcribe.py recording.wav --recogniser exp/recogniser
      steps/transcribe.py recordings/ --recogniser exp/recogniser --format ctm --out recordings.ctm
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from understudy.decode.audio import audio_files, pieces, read_audio
from understudy.decode.recogniser import Recogniser
from understudy.decode.words import Word
from understudy.features.frames import SAMPLE_RATE
from understudy.stage import UserError, atomic_path, command


@dataclass
class Options:
    """What to transcribe."""

    recogniser: Path
    """folder of steps/pack.py"""
    audio: list[Path] = field(default_factory=list)
    """files, and folders of files"""
    format: Literal["text", "ctm", "json"] = "text"
    """a line of text for each file; a line for each word; an object for each file on a line of its own"""
    out: Path | None = None
    """instead of standard output"""
    channel: int | None = None
    """of files with several"""
    longest: float = 30.0
    """seconds that are searched at once: longer files are cut where they are quiet"""


def run(options: Options) -> None:
    """Transcribe file by file; what cannot be read is said at the end, and the status is 1."""
    if not options.audio:
        raise UserError("name audio files or folders: steps/transcribe.py recording.wav --recogniser exp/recogniser")
    if options.longest < 1:
        raise UserError(f"--longest {options.longest}: give at least 1 second")
    recogniser, faults = Recogniser(options.recogniser), []
    lines = _lines(recogniser, audio_files(options.audio), options, faults)
    if options.out is None:
        for line in lines:
            print(line, flush=True)
    else:
        with atomic_path(options.out) as partial, partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    for fault in faults:
        print(f"warning: {fault}", file=sys.stderr)
    if any(fault.startswith("not transcribed") for fault in faults):
        raise UserError(f"{sum(f.startswith('not transcribed') for f in faults)} files were not transcribed")


def _lines(recogniser: Recogniser, files: list[Path], options: Options, faults: list[str]) -> Iterator[str]:
    for path in files:
        try:
            samples = read_audio(path, options.channel)
        except UserError as error:
            faults.append(f"not transcribed: {error}")
            continue
        words: list[Word] = []
        for begin, end in pieces(samples, options.longest):
            (heard,) = recogniser.hear([samples[begin:end]], times=options.format != "text")
            if heard.empty:
                faults.append(f"{path}: nothing was found from {begin / SAMPLE_RATE:.2f} to {end / SAMPLE_RATE:.2f} s")
            later = begin / SAMPLE_RATE
            words += [Word(w.text, w.start + later, w.end + later, w.confidence) for w in heard.words]
        yield from _formatted(path, words, len(samples) / SAMPLE_RATE, options.format)


def _formatted(path: Path, words: list[Word], seconds: float, form: str) -> list[str]:
    if form == "text":
        return [" ".join([str(path), *(word.text for word in words)])]
    if form == "ctm":
        name = path.stem.replace(" ", "_")
        return [f"{name} 1 {w.start:.2f} {w.end - w.start:.2f} {w.text} {w.confidence:.3f}" for w in words]
    rounded = [{k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(w).items()} for w in words]
    return [json.dumps({"file": str(path), "seconds": round(seconds, 3), "words": rounded}, ensure_ascii=False)]


if __name__ == "__main__":
    command(Options, run, first="audio")
