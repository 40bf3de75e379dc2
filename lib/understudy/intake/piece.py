"""What a reader finds in a corpus: pieces of speech, and where their audio is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Sound:
    """Audio as a corpus names it."""

    source: str
    """an absolute path; one with `:BYTES` behind it, for WAV within an archive of Kaldi's; a command that writes WAV"""
    kind: Literal["file", "archive", "command"] = "file"
    channel: int | None = None
    """the one to hear; None: there is one"""
    folder: Path | None = None
    """where a command runs"""
    where: str = ""
    """file and line that name it, for errors"""
    seconds: float | None = None
    """how long the corpus says that it is"""


@dataclass(frozen=True)
class Piece:
    """A sentence, or a stretch of speech without its words."""

    id: str
    recording: str
    """name of the audio; the same as `id` where the piece is all of it"""
    sound: Sound
    speaker: str | None
    text: str | None = None
    """as the corpus writes it; None: not transcribed"""
    start: float = 0.0
    """in seconds, as `end`"""
    end: float | None = None
    """None: where the audio ends"""
    language: str | None = None
    gender: str | None = None
    where: str = ""
    """file and line that tell of it, for errors"""


def stamp(seconds: float | None) -> str:
    """A time as names have it, in milliseconds; None: where the audio ends."""
    return "end" if seconds is None else f"{round(1000 * seconds):08d}"
