"""Transcription of files one after the other, as text, CTM or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from understudy.corpus.audio import audio_files, read_audio, tell_of_low_rates, unique_names
from understudy.decode.audio import pieces
from understudy.decode.options import TranscribeOptions
from understudy.decode.recogniser import Recogniser, adapted
from understudy.decode.word_times import Word
from understudy.features.frames import SAMPLE_RATE
from understudy.step import UserError, atomic_path, to_json


def transcribe(options: TranscribeOptions) -> None:
    """Transcribe file by file.

    Raises:
        UserError: at the end, if some files could not be read; before, if an option makes no sense.
    """
    if not options.audio:
        raise UserError("name audio files or folders: steps/transcribe.py recording.wav --recogniser exp/recogniser")
    if options.longest < 1:
        raise UserError(f"--longest {options.longest}: give at least 1 second")
    recogniser = adapted(options)
    faults: list[str] = []
    files = audio_files(options.audio)
    tell_of_low_rates(files)
    names = dict(zip(files, unique_names(files))) if options.format == "ctm" else {}
    lines = _lines(recogniser, files, names, options, faults)
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


def _lines(
    recogniser: Recogniser, files: list[Path], names: dict[Path, str], options: TranscribeOptions, faults: list[str]
) -> Iterator[str]:
    """Yield the output lines; `names`: the files' names in CTM, `faults`: the list that receives warnings."""
    for path in files:
        try:
            samples = read_audio(path, options.channel)
        except UserError as error:
            faults.append(f"not transcribed: {error}")
            continue
        words: list[Word] = []
        rejected: list[tuple[float, float]] = []
        for begin, end in pieces(samples, options.longest):
            (heard,) = recogniser.hear([samples[begin:end]], times=options.format != "text")
            if heard.empty:
                faults.append(f"{path}: nothing was found from {begin / SAMPLE_RATE:.2f} to {end / SAMPLE_RATE:.2f} s")
            if heard.rejected:
                rejected.append((begin / SAMPLE_RATE, end / SAMPLE_RATE))
                span = "{:.2f} to {:.2f} s".format(*rejected[-1])
                faults.append(f"{path}: words from {span} are not told: {heard.why}")
            later = begin / SAMPLE_RATE
            words += [Word(w.text, w.start + later, w.end + later, w.confidence) for w in heard.words]
        if options.format == "ctm":
            yield from (
                f"{names[path]} 1 {w.start:.2f} {w.end - w.start:.2f} {w.text} {w.confidence:.3f}" for w in words
            )
        else:
            yield _formatted(path, words, rejected, len(samples) / SAMPLE_RATE, options.format)


def _formatted(path: Path, words: list[Word], rejected: list[tuple[float, float]], seconds: float, form: str) -> str:
    if form == "text":
        return " ".join([str(path), *(word.text for word in words)])
    rounded = [{k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(w).items()} for w in words]
    told = {"file": str(path), "seconds": round(seconds, 3), "words": rounded}
    if rejected:
        told["rejected"] = [[round(time, 3) for time in span] for span in rejected]
    return to_json(told, str(path), ensure_ascii=False)
