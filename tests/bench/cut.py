#!/usr/bin/env python3
"""How well a detector cuts long recordings: utterances joined with noise between, and found again.

e.g.: tests/bench/cut.py --speech LibriSpeech/dev-clean-2 --out /tmp/hours

Where speech is within an utterance is told by its level: frames of 10 ms within 30 dB of its loudest frame. So recall
is of these frames; what lies between utterances, or is a pause within one, is neither right nor wrong to cut out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from understudy.corpus.audio import SAMPLE_RATE, audio_files, read_audio
from understudy.features.sounds import pink, white
from understudy.intake.convert import Heard
from understudy.intake.cut import Cutting, cut_long
from understudy.intake.options import CutOptions
from understudy.intake.piece import Piece, Sound
from understudy.parallel.workers import Workers
from understudy.step import command
from understudy.step.step import own_peak_kb

_FRAME = SAMPLE_RATE // 100
_LOUD = 1e-3  # of the power of the loudest frame


@dataclass
class Options:
    """What is joined, and how it is cut."""

    speech: Path
    """folder of utterances"""
    out: Path
    """folder of the joined files"""
    hours: float = 1.0
    """of each joined file; the last is shorter"""
    below: tuple[float, ...] = (60, 30, 20, 10)
    """dB that the noise is weaker than the speech: one table row each"""
    pauses: tuple[float, float] = (0.7, 4.0)
    """least and greatest seconds between utterances"""
    seed: int = 1
    """of the noise, the pauses and the order"""
    cut: CutOptions = field(default_factory=CutOptions)
    """how"""


def run(options: Options) -> None:
    """A table row for each level of noise."""
    print("| noise, dB below | hours | true utterances | cuts | recall of speech | cuts that join two | hours cut |"
          " true hours | CPU s an hour | peak MB |\n" + "| --- " * 10 + "|")  # fmt: skip
    for below in options.below:
        files = joined(options, below)
        found = [(Piece(path.stem, path.stem, Sound(str(path)), "s"), Heard(path, total, ""))
                 for path, total, *_ in files]  # fmt: skip
        folder = options.out / f"found-{below:g}"
        for kept in folder.glob("*.npy"):
            kept.unlink()
        begun = time.process_time()
        with Workers(1) as workers:
            cuts, told = cut_long(found, options.cut, folder, workers, lambda *said: print(*said))
        spent = time.process_time() - begun
        print(row(below, files, [piece for piece, _ in cuts], told, spent), flush=True)


def row(below: float, files: list[tuple], cuts: list[Piece], told: Cutting, spent: float) -> str:
    """Of the table."""
    hit, all_speech, several, true, true_seconds = 0, 0, 0, 0, 0.0
    for path, total, spans, speech in files:
        covered = np.zeros(total // _FRAME + 1, bool)
        own = [piece for piece in cuts if piece.recording == path.stem]
        for piece in own:
            covered[int(piece.start * 100) : int(piece.end * 100)] = True
            several += sum(piece.start < (a + b) / 2 < piece.end for a, b in spans) > 1
        hit, all_speech = hit + int((covered[: len(speech)] & speech).sum()), all_speech + int(speech.sum())
        true, true_seconds = true + len(spans), true_seconds + sum(b - a for a, b in spans)
    return (f"| {below:g} | {told.hours:.2f} | {true} | {len(cuts)} | {hit / all_speech:.4f} | {several} | "
            f"{told.hours_in_utterances:.2f} | {true_seconds / 3600:.2f} | {spent / told.hours:.1f} | "
            f"{own_peak_kb() / 1024:.0f} |")  # fmt: skip


def joined(options: Options, below: float) -> list[tuple[Path, int, list[tuple[float, float]], np.ndarray]]:
    """Files, their samples, where each utterance is in seconds, and which frames are speech."""
    rng = np.random.default_rng(options.seed)
    files = audio_files([options.speech])
    rng.shuffle(files)
    made, limit = [], round(options.hours * 3600 * SAMPLE_RATE)
    while files:
        path, at, spans, speech = options.out / f"{below:g}-{len(made)}.flac", 0, [], []
        path.parent.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, subtype="PCM_16") as file:
            while files and at < limit:
                pause = _FRAME * round(100 * rng.uniform(*options.pauses))
                said = read_audio(files.pop())
                said = said[: len(said) // _FRAME * _FRAME]
                both = np.concatenate([np.zeros(pause, np.float32), said])
                noise = (pink if len(made) % 2 == 0 else white)(len(both), rng)
                file.write(both + noise * np.sqrt(np.mean(said**2)) * 10 ** (-below / 20))
                power = np.square(said.reshape(-1, _FRAME)).mean(1)
                speech += [np.zeros(pause // _FRAME, bool), power > _LOUD * power.max()]
                spans.append(((at + pause) / SAMPLE_RATE, (at + len(both)) / SAMPLE_RATE))
                at += len(both)
        made.append((path, at, spans, np.concatenate(speech)))
    return made


if __name__ == "__main__":
    command(Options, run)
