"""A folder of audio, with or without transcripts beside the files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from understudy.corpus.audio import audio_files
from understudy.intake.options import Corpus
from understudy.intake.piece import Piece, Sound
from understudy.intake.tables import read_text
from understudy.intake.textgrid import Interval, chosen_tier
from understudy.step import UserError, log

_BESIDE = (".txt", ".lab", ".TextGrid", ".textgrid")
_MORE_AUDIO = (".m4a", ".mp4", ".aac", ".wma", ".webm", ".amr", ".3gp", ".mka", ".mov", ".mkv")
"""What ffmpeg reads besides, where it is installed"""
_ANYWHERE = "**/"
_FIELD = re.compile(r"\{(\w+)\}")
_TIMES = re.compile(r"\s*\d+\s+\d+\s+(?P<label>\S.*)")
"""A line of HTK's labels"""


@dataclass(kw_only=True)
class Folder(Corpus):
    """--from folder: a folder of audio.

    A file's transcript is in a .txt, .lab or .TextGrid beside it, or in its name.
    """

    pattern: str = "{speaker}/{name}"
    """what a file's path is made of, below --path and without the suffix: {speaker} and {text} tell, any other name in
    braces does not, and `**/` before it stands for any folders. Of {text}_{speaker}_{take}, 7_jackson_32.wav holds the
    text 7 of jackson"""
    words: dict[str, str] = field(default_factory=dict)
    """what a {text} in a name stands for: {7: seven}; then all of them must be here"""
    tier: str | None = None
    """of a TextGrid, the one that has the words; by default the only one, or that called words, text or the like"""
    utterances: bool = False
    """each interval of the tier is an utterance; otherwise they are the words of one, which is all of the file"""

    def __post_init__(self) -> None:
        """Raise UserError for a pattern that tells nothing; YAML takes 7 for a number, and it is a text here."""
        self.words = {str(name): str(text) for name, text in self.words.items()}
        names = _FIELD.findall(self.pattern)
        if "speaker" not in names or len(names) != len(set(names)):
            raise UserError(f"--pattern {self.pattern}: must have {{speaker}}, and each name in braces once.")

    def read(self, path: Path) -> Iterator[Piece]:
        """Files in the order of their paths; those whose audio is none by its name are said."""
        if not path.is_dir():
            raise UserError(f"{path}: must be a folder of audio, and is none.")
        form, files = self._form(), audio_files([path], (*_MORE_AUDIO,), (*_BESIDE,))
        untold = 0
        for file in files:
            name = file.relative_to(path).with_suffix("").as_posix()
            if not (match := form.fullmatch(name)):
                raise UserError(
                    f"{file}: its name, {name}, is not as --pattern {self.pattern} has it. Give a pattern that fits "
                    "all (with **/ before it for any folders), or take the file out."
                )
            told = match.groupdict()
            speaker, key = told["speaker"], "-".join(name.split("/"))
            sound = Sound(str(file), "file", self.channel, None, str(file))
            if "text" in told:
                yield Piece(key, key, sound, speaker, self._text(told["text"], file), where=str(file))
                continue
            beside = _beside(file)
            if self.utterances and beside is not None and beside.suffix.lower() == ".textgrid":
                yield from self._utterances(key, sound, speaker, beside)
                continue
            untold += beside is None
            yield Piece(
                key, key, sound, speaker, None if beside is None else self._beside_text(beside), where=str(file)
            )
        if untold:
            log.info("%s: %d of %d files have no transcript beside them (%s)", path, untold, len(files), _names())

    def texts(self, path: Path) -> list[Path]:
        """Transcripts beside the audio."""
        return [file for file in path.rglob("*") if file.suffix in _BESIDE]

    def _form(self) -> re.Pattern[str]:
        anywhere = self.pattern.startswith(_ANYWHERE)
        parts = _FIELD.split(self.pattern[len(_ANYWHERE) * anywhere :])  # literal, name, literal, name, …, literal
        body = "".join(f"(?P<{one}>[^/]+?)" if i % 2 else re.escape(one) for i, one in enumerate(parts))
        return re.compile(f"(?:.*/)?{body}" if anywhere else body)

    def _text(self, text: str, file: Path) -> str:
        if not self.words:
            return text
        if text not in self.words:
            raise UserError(f"{file}: {text!r} is not among --words ({', '.join(self.words)}). Add what it stands for.")
        return self.words[text]

    def _utterances(self, key: str, sound: Sound, speaker: str, beside: Path) -> Iterator[Piece]:
        for number, one in enumerate((one for one in self._tier(beside) if one.text.strip()), start=1):
            where = f"{beside}, interval at {one.start:g} s"
            yield Piece(f"{key}-{number:04d}", key, sound, speaker, one.text, one.start, one.end, where=where)

    def _beside_text(self, path: Path) -> str:
        if path.suffix.lower() == ".textgrid":
            return " ".join(one.text for one in self._tier(path))
        lines = [line for line in read_text(path).splitlines() if line.strip()]
        timed = [match for line in lines if (match := _TIMES.fullmatch(line))]
        if lines and path.suffix == ".lab" and len(timed) == len(lines):
            return " ".join(match["label"] for match in timed)
        return " ".join(lines)

    def _tier(self, path: Path) -> list[Interval]:
        return chosen_tier(path, self.tier)


def _beside(file: Path) -> Path | None:
    return next((path for suffix in _BESIDE if (path := file.with_suffix(suffix)).exists()), None)


def _names() -> str:
    return ", ".join(_BESIDE[:3])
