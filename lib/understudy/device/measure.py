"""Recognise utterances as if they arrived live, and report their words, and what they cost in time and memory.

python -m understudy.device.measure FOLDER UTTERANCES [sure]: UTTERANCES has an <id>.npy for each utterance, samples
(length,) float32 in ±1. It prints a JSON line for each utterance, then one for the process. Times are of one core,
without reading the audio. With "sure" each line has the share of alternatives that agree with each word, too, which is
computed afterwards and counts in no time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from .recogniser import Recogniser, UtteranceDecoding

_BLOCK = 0.1  # seconds of audio that arrive at once


def main(folder: Path, utterances: Path, *more: Path) -> None:
    """Measure all utterances and print the lines; `more`: "sure" or nothing."""
    recogniser, paths = Recogniser(folder), sorted(utterances.glob("*.npy"))
    heard = [{"id": path.stem, **_heard(recogniser, np.load(path))} for path in paths]
    peak_mb = _peak_mb()
    for path, one in zip(paths, heard):
        if more:
            one["shares"] = _shares(recogniser, np.load(path)) if one["words"] else []
        print(json.dumps(one, ensure_ascii=False, allow_nan=False), flush=True)
    strange = [name for name in ("torch", "k2", "lhotse") if sys.modules.get(name)]
    print(json.dumps({"peak_mb": peak_mb, "strange": strange}, allow_nan=False))


def _shares(recogniser: Recogniser, samples: np.ndarray) -> list[float]:
    utterance = UtteranceDecoding(recogniser)
    utterance.hear(samples)
    utterance.finish()
    return utterance.shares(utterance.outputs)


def _heard(recogniser: Recogniser, samples: np.ndarray) -> dict:
    """Return words, CPU seconds, seconds of audio until the first word was known, and CPU seconds that the end took."""
    utterance, rate, first = UtteranceDecoding(recogniser), recogniser.front.rate, None
    begun, size = time.process_time(), round(_BLOCK * rate)
    for at in range(0, len(samples), size):
        utterance.hear(samples[at : at + size])
        if first is None and utterance.begun:
            first = round(utterance.samples / rate, 3)
    ended = time.process_time()
    heard = utterance.finish()
    done = time.process_time()
    return {
        "words": heard.words, "empty": heard.empty, "widened": utterance.widened, "rejected": heard.rejected,
        "seconds": len(samples) / rate, "cpu_s": done - begun, "first_word_s": first, "end_s": done - ended,
    }  # fmt: skip


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmHWM")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
