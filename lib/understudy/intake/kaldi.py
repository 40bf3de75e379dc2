"""A data directory of Kaldi's: wav.scp, segments, text, utt2spk, spk2gender, utt2lang, reco2dur."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.intake.options import Corpus
from understudy.intake.piece import Piece, Sound
from understudy.intake.tables import number_in, numbered
from understudy.step import UserError

if TYPE_CHECKING:
    from typing_extensions import Self

_ARCHIVE = re.compile(r"(?P<path>.+):(?P<offset>\d+)")

_TABLES = ("wav.scp", "segments", "text", "utt2spk", "spk2gender", "utt2lang", "reco2dur")

Table = dict[str, tuple[str, str]]
"""by key: the value, and its file and line"""


@dataclass(kw_only=True)
class KaldiData(Corpus):
    """--from kaldi: a data directory of Kaldi's, or one for each set."""

    root: Path | None = None
    """folder that relative paths and commands in wav.scp begin at, where Kaldi's run.sh is; by default the working
    folder, or the first above the data directory in which such a file is found"""

    def read(self, path: Path) -> Iterator[Piece]:
        """Utterances in the order of segments, or of wav.scp where there is none."""
        if not (path / "wav.scp").exists():
            raise UserError(
                f"{path}: no wav.scp in it, so no data directory of Kaldi's. Give the folder that holds it."
            )
        sounds = self._sounds(path)
        texts, speakers, genders, languages = (
            read_table(path / name) if (path / name).exists() else {}
            for name in ("text", "utt2spk", "spk2gender", "utt2lang")
        )
        names = set()
        for key, recording, start, end, where in _utterances(path, sounds):
            if key not in speakers:
                raise UserError(f"{where}: {key} has no speaker in {path / 'utt2spk'}. Add one.")
            names.add(key)
            speaker = speakers[key][0]
            yield Piece(
                key, recording, sounds[recording], speaker, texts[key][0] if key in texts else None, start, end,
                languages.get(key, (None,))[0], genders.get(speaker, (None,))[0], where,
            )  # fmt: skip
        for name, table in (("text", texts), ("utt2spk", speakers)):
            if strange := sorted(table.keys() - names):
                where = table[strange[0]][1]
                raise UserError(
                    f"{where}: {strange[0]} is no utterance of {path} ({len(strange)} such in {name}). Do as Kaldi's "
                    "utils/fix_data_dir.sh does, or copy the missing lines."
                )

    def texts(self, path: Path) -> list[Path]:
        """The tables."""
        return [path / name for name in _TABLES if (path / name).exists()]

    def absolute(self) -> Self:
        """The same, whose relative paths begin where they were found from here."""
        made = super().absolute()
        first = next(iter(made.sources().values()))
        if made.root is None and (first / "wav.scp").exists():
            made.root = _root(first, [value for value, _ in read_table(first / "wav.scp").values()])
        return made

    def _sounds(self, path: Path) -> dict[str, Sound]:
        table = read_table(path / "wav.scp")
        lengths = read_table(path / "reco2dur") if (path / "reco2dur").exists() else {}
        root = self.root or _root(path, [value for value, _ in table.values()])
        found = {}
        for key, (value, where) in table.items():
            seconds = number_in(lengths[key][0], "a duration", lengths[key][1]) if key in lengths else None
            found[key] = _sound(value, root, self.channel, where, seconds)
        return found


def _sound(value: str, root: Path, channel: int | None, where: str, seconds: float | None) -> Sound:
    if value.endswith("|"):
        return Sound(value[:-1].strip(), "command", channel, root, where, seconds)
    if not (root / value).exists() and (match := _ARCHIVE.fullmatch(value)):
        return Sound(f"{root / match['path']}:{match['offset']}", "archive", channel, None, where, seconds)
    return Sound(str(root / value), "file", channel, None, where, seconds)


def _root(path: Path, values: list[str]) -> Path:
    """Where the first relative path is found, from the data directory upwards; the working folder if nowhere."""
    relative = [value for value in values if not value.endswith("|") and not Path(value).is_absolute()]
    for value in relative[:1]:
        name = match["path"] if (match := _ARCHIVE.fullmatch(value)) else value
        for folder in (Path.cwd(), *path.absolute().parents, path.absolute()):
            if (folder / name).exists():
                return folder
    return Path.cwd()


def _utterances(path: Path, sounds: dict[str, Sound]) -> Iterator[tuple[str, str, float, float | None, str]]:
    """Id, recording, start, end (None: where that ends), and file and line."""
    if not (path / "segments").exists():
        yield from ((key, key, 0.0, None, sound.where) for key, sound in sounds.items())
        return
    for key, (value, where) in read_table(path / "segments").items():
        fields = value.split()
        if len(fields) != 3:
            raise UserError(f"{where}: expected UTTERANCE RECORDING START END, found {key} {value!r}. Mend it.")
        if fields[0] not in sounds:
            raise UserError(f"{where}: {key} is of {fields[0]}, which {path / 'wav.scp'} does not name. Add it there.")
        start, end = (number_in(one, "a time", where) for one in fields[1:])
        if start < 0 or (end != -1 and end <= start):
            raise UserError(f"{where}: {key} begins at {start:g} s and ends at {end:g} s. Mend its times.")
        yield key, fields[0], start, None if end == -1 else end, where


def read_table(path: Path, may_be_empty: bool | None = None) -> Table:
    """A table of Kaldi's: on each line a key, white space, and a value.

    Args:
        may_be_empty: the value may; None: in a file that is called `text` alone.

    Raises:
        UserError: it is not there, a line is none of its, or a key comes twice; file and line are named.
    """
    table: Table = {}
    may_be_empty = path.name == "text" if may_be_empty is None else may_be_empty
    for where, line in numbered(path):
        key, *value = line.split(maxsplit=1)
        if not value and not may_be_empty:
            raise UserError(f"{where}: expected a key and its value, found {line!r}. Mend it.")
        if key in table:
            raise UserError(f"{where}: {key} comes twice. Remove one of the two lines.")
        table[key] = (value[0].strip() if value else "", where)
    return table
