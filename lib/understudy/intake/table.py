"""A table of recordings: comma, semicolon, tab or bar between columns, or JSON on each line; Common Voice as it is."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from understudy.corpus.audio import unique_names
from understudy.intake.options import Corpus
from understudy.intake.piece import Piece, Sound, stamp
from understudy.intake.tables import number_in, numbered, read_text
from understudy.step import UserError

Column = Literal["path", "text", "speaker", "id", "start", "end", "duration", "channel", "language", "gender"]
_USUAL: dict[str, tuple[str, ...]] = {
    "path": ("path", "audio", "file", "audio_filepath", "file_name", "filename", "audio_path", "wav", "wav_filename"),
    "text": ("text", "sentence", "transcript", "transcription", "words"),
    "speaker": ("speaker", "client_id", "speaker_id", "spk", "spk_id"),
    "id": ("id", "utterance", "utterance_id", "utt_id"),
    "start": ("start", "offset", "start_time", "begin"),
    "end": ("end", "end_time", "stop"),
    "duration": ("duration",),
    "channel": ("channel",),
    "language": ("language", "locale", "lang"),
    "gender": ("gender", "sex"),
}
"""Names by which columns are known; the first that a table has"""
_COMMON_VOICE = {"path": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"}
_CLIPS = "clips"
_SEPARATORS = "\t,;|"


@dataclass(kw_only=True)
class Table(Corpus):
    """--from table: a table (.csv, .tsv, .jsonl), or the folder of a language of Common Voice.

    Of Common Voice, train.tsv is shared out, and dev.tsv and test.tsv are sets. Times are in seconds. A table may be
    packed by gzip.
    """

    columns: dict[Column, str] = field(default_factory=dict)
    """names of columns where they are not the usual ones: {path: file, text: said, speaker: who}"""
    header: list[str] = field(default_factory=list)
    """names of the columns of a table whose first line does not tell them"""
    root: Path | None = None
    """folder that paths of audio begin at; by default that of the table, or clips/ in it"""
    one_speaker_each: bool = False
    """of a table without speakers: each recording is of another one"""

    def usual_paths(self) -> dict[str, Path]:
        """Of Common Voice, its tables."""
        if self.path is None or not self.path.is_dir():
            return super().usual_paths()
        if missing := [name for name in _COMMON_VOICE.values() if not (self.path / name).exists()]:
            raise UserError(f"{self.path}: must be a table, or a folder of Common Voice's, which has {missing[0]} too.")
        return {name: self.path / file for name, file in _COMMON_VOICE.items()}

    def read(self, path: Path) -> Iterator[Piece]:
        """Rows in their order."""
        rows = list(json_rows(path) if _kind(path) in (".jsonl", ".json") else self._rows(path))
        if not rows:
            raise UserError(f"{path}: no rows. It needs one for each utterance.")
        known = self._known(path, list(dict.fromkeys(name for _, row in rows for name in row)))
        root = self.root or (path.parent / _CLIPS if (path.parent / _CLIPS).is_dir() else path.parent)
        files = [self._value(row, known, "path", where) for where, row in rows]
        times = Counter(files)
        names = dict(zip(times, unique_names([Path(file) for file in times])))
        for (where, row), file in zip(rows, files):
            yield self._piece(row, known, where, root / file, names[file].replace("/", "-"), times[file] > 1)

    def _piece(
        self, row: dict[str, str], known: dict[str, str], where: str, audio: Path, name: str, several: bool
    ) -> Piece:
        """Of a row; `several`: other rows are of the same audio, so that times tell them apart."""
        told = {one: row[column].strip() for one, column in known.items() if row.get(column, "").strip()}
        start = number_in(told.get("start", "0"), "start", where)
        end = number_in(told["end"], "end", where) if "end" in told else None
        if end is None and "duration" in told and ("start" in told or several):
            end = start + number_in(told["duration"], "duration", where)
        if start < 0 or (end is not None and end <= start):
            raise UserError(
                f"{where}: begins at {start:g} s and ends at {end if end is None else f'{end:g}'} s. Mend it."
            )
        channel = int(number_in(told["channel"], "channel", where)) if "channel" in told else self.channel
        recording = name if channel in (None, self.channel) else f"{name}-{channel}"
        whole = start == 0 and end is None
        key = told.get("id") or (recording if whole else f"{recording}-{stamp(start)}-{stamp(end)}")
        speaker = recording if self.one_speaker_each else told.get("speaker")
        if not speaker:
            raise UserError(f"{where}: no speaker. Name the column by --columns, or say --one-speaker-each true.")
        sound = Sound(str(audio), "file", channel, None, where)
        return Piece(
            key, key if whole else recording, sound, speaker, told.get("text"), start, end, told.get("language"),
            told.get("gender"), where,
        )  # fmt: skip

    def _known(self, path: Path, header: list[str]) -> dict[str, str]:
        """The column of the table for each of ours that it has."""
        for one, column in self.columns.items():
            if column not in header:
                raise UserError(f"{path}: no column {column!r} for {one}; there are {', '.join(header)}.")
        known: dict[str, str] = {one: c for one, usual in _USUAL.items() for c in reversed(usual) if c in header}
        known.update(self.columns.items())
        if "path" not in known:
            raise UserError(
                f"{path}: no column tells the audio files; there are {', '.join(header)}. Name it: --columns "
                "'{path: …, text: …, speaker: …}', or all columns by --header where the first line is none."
            )
        return known

    def _value(self, row: dict[str, str], known: dict[str, str], name: str, where: str) -> str:
        if not (value := row.get(known[name], "").strip()):
            raise UserError(f"{where}: {known[name]} is empty. Every row needs its {name}.")
        return value

    def _rows(self, path: Path) -> Iterator[tuple[str, dict[str, str]]]:
        lines = read_text(path).splitlines(keepends=True)
        first = lines[0] if lines else ""
        apart = "\t" if _kind(path) == ".tsv" else max(_SEPARATORS, key=first.count)
        # Common Voice and others write quotes as they are in tables with tabs or bars.
        reader = csv.reader(lines, delimiter=apart, quoting=csv.QUOTE_NONE if apart in "\t|" else csv.QUOTE_MINIMAL)
        header = self.header or next(reader, [])
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if not row:
                continue
            if len(row) != len(header):
                raise UserError(f"{where}: has {len(row)} columns, and the table {len(header)}. Mend it.")
            yield where, dict(zip((one.strip() for one in header), row))


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """`file, line 3` and the object there, its values as text, null as none. Raises UserError where it is no object."""
    for where, line in numbered(path):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{where}: must be an object in JSON on one line ({error.msg}).") from None
        if not isinstance(row, dict):
            raise UserError(f"{where}: must be an object in JSON, got {line.strip()[:40]!r}.")
        yield where, {name: "" if value is None else str(value) for name, value in row.items()}


def _kind(path: Path) -> str:
    """Suffix without that of gzip, in small letters."""
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
