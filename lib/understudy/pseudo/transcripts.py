"""Reading of recognisers' transcripts in common formats: Kaldi text, JSON lines, CTM, and folders of text files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from understudy.intake.kaldi import read_table
from understudy.intake.table import json_rows
from understudy.intake.tables import number_in, numbered, read_text
from understudy.step import UserError, fingerprint

_IDS = ("id", "utterance_id", "utt_id", "utterance")
_TEXTS = ("pred_text", "text")
"""Names of a line's text, the first that it has: where NeMo writes both, `text` is the reference"""
_AUDIO = "audio_filepath"
"""Name of NeMo's entry that identifies an utterance without id"""
_SURE = "log_probability"


class Heard(NamedTuple):
    """A transcript as the recogniser wrote it."""

    text: str
    log_probability: float | None = None
    """mean log-probability of its tokens, nats; None: unknown"""


def read_transcripts(path: Path) -> dict[str, Heard]:
    """Read transcripts by id of the cut; see `PseudoLabelOptions.transcripts` for the formats.

    Raises:
        UserError: there are no transcripts, or a line is malformed; the message names file and line.
    """
    if path.is_dir():
        found = {file.stem: Heard(" ".join(read_text(file).split())) for file in _in_folder(path)}
    else:
        found = _reader(path)(path)
    if not found:
        raise UserError(f"{path}: no transcripts. It needs one for each cut that was heard.")
    return found


def digest_of(path: Path) -> str:
    """Return a digest of the contents of all files that are read."""
    return fingerprint.digest({"files": fingerprint.of_files(_in_folder(path) if path.is_dir() else [path])})


def _in_folder(path: Path) -> list[Path]:
    return sorted(path.glob("*.txt"))


def _reader(path: Path) -> Callable[[Path], dict[str, Heard]]:
    name = path.name.removesuffix(".gz")
    if name.endswith((".jsonl", ".json")):
        return _json
    return _ctm if name.endswith(".ctm") else _kaldi


def _kaldi(path: Path) -> dict[str, Heard]:
    return {name: Heard(text) for name, (text, _) in read_table(path, may_be_empty=True).items()}


def _json(path: Path) -> dict[str, Heard]:
    found: dict[str, Heard] = {}
    for where, row in json_rows(path):
        name, text = _first(row, _IDS) or Path(row.get(_AUDIO, "")).stem, _first(row, _TEXTS)
        if not name or text is None:
            raise UserError(f"{where}: must have id (or {_AUDIO}) and text, has {', '.join(row)}. Mend it.")
        if name in found:
            raise UserError(f"{where}: {name} comes twice. Remove one of the two lines.")
        found[name] = Heard(text, number_in(row[_SURE], _SURE, where) if row.get(_SURE) else None)
    return found


def _first(row: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((row[name] for name in names if name in row), None)


def _ctm(path: Path) -> dict[str, Heard]:
    """Read the words of each id, sorted by their begin times; utterances without words have no line and are missing."""
    words: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for where, line in numbered(path):
        if line.startswith(";;"):
            continue
        if len(fields := line.split()) not in (5, 6):
            raise UserError(f"{where}: must be ID CHANNEL BEGIN LENGTH WORD, got {line.strip()[:60]!r}. Mend it.")
        words[fields[0]].append((number_in(fields[2], "a time", where), fields[4]))
    return {name: Heard(" ".join(word for _, word in sorted(of, key=lambda one: one[0]))) for name, of in words.items()}
