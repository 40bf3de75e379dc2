"""Libri-Light: hours of read speech without transcripts, in whole chapters with the times of their voice activity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from lhotse import MonoCut, Recording, SupervisionSegment

from understudy.step import UserError

SHORTEST, LONGEST = 1.0, 20.0  # seconds of a cut, our choice: as long as LibriSpeech's utterances


def cuts(folder: Path) -> Iterator[MonoCut]:
    """Cuts of all SUBSET/SPEAKER/BOOK/*.flac, at pauses where there are any; speakers are named `ll-<speaker>`.

    Raises:
        UserError: there is no audio, or a chapter has no readable .json beside it.
    """
    empty = True
    for path in sorted(folder.rglob("*.flac")):
        empty = False
        speaker, active = _described(path.with_suffix(".json"))
        name = "ll-" + "-".join(path.relative_to(folder).with_suffix("").parts)
        recording = Recording.from_file(path, recording_id=name)
        for number, (start, end) in enumerate(pieces(active, recording.duration)):
            piece = f"{name}-{number:04d}"
            what = SupervisionSegment(piece, name, 0.0, end - start, channel=0, speaker=f"ll-{speaker}")
            yield MonoCut(piece, start, end - start, channel=0, recording=recording, supervisions=[what])
    if empty:
        raise UserError(
            f"{folder}: no .flac below it. Give the folder that holds Libri-Light's small/, medium/ or large/."
        )


def _described(path: Path) -> tuple[str, list[tuple[float, float]]]:
    """The speaker of a chapter, and the times in seconds at which speech was found in it."""
    try:
        described = json.loads(path.read_text())
        return str(described["speaker"]), [(float(a), float(b)) for a, b in described["voice_activity"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: does not tell speaker and voice_activity ({error}). Is the corpus whole?") from None


def pieces(active: list[tuple[float, float]], duration: float) -> Iterator[tuple[float, float]]:
    """Start and end in seconds: neighbouring activity joined up to LONGEST, longer activity cut evenly, bits left out.

    Times are rounded to milliseconds, and none is after the recording's end.
    """
    spans: list[tuple[float, float]] = []
    for start, end in sorted((max(0.0, a), min(b, duration)) for a, b in active):
        if spans and end - spans[-1][0] <= LONGEST:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    for start, end in spans:
        parts = max(1, -int(-(end - start) // LONGEST))
        for one, other in pairwise(start + (end - start) * i / parts for i in range(parts + 1)):
            if other - one >= SHORTEST:
                yield round(one, 3), int(other * 1000) / 1000
