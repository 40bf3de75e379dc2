"""An archive of each utterance's errors in many decodings, beside their results, so that tests can be repeated.

`utterances.tsv.gz` is a gzipped table, tab-separated, with a header. A row is an utterance: `id`, `speaker`, `words`
and `characters` of the reference as it was scored, then a column for each decoding, named by the `scored` of its line
in results.jsonl. A cell is `S D I C`: word substitutions, deletions and insertions, and character errors; it is empty
where that decoding lacks the utterance. steps/report.py and steps/report_table.py write the file.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.score.utterances import Scored
from understudy.step import UserError, atomic_path

NAME = "utterances.tsv.gz"
_ROW = ("id", "speaker", "words", "characters")


def write(path: Path, decodings: Mapping[str, Sequence[Scored]]) -> None:
    """Write decodings by their names, atomically; the same decodings give the same bytes."""
    cells: dict[tuple, dict[str, str]] = {}
    for name, scored in decodings.items():
        for one in scored:
            counts = one.substitutions, one.deletions, one.insertions, one.character_errors
            row = cells.setdefault((one.id, one.speaker, one.words, one.characters), {})
            row[name] = " ".join(map(str, counts))
    rows = [
        (*_ROW, *decodings),
        *((*key, *(of.get(name, "") for name in decodings)) for key, of in sorted(cells.items())),
    ]
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    with atomic_path(path) as partial:
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))


def names(path: Path) -> list[str]:
    """Return the names of the decodings in a file; [] if there is no such file."""
    return _rows(path)[0][len(_ROW) :] if path.exists() else []


def read(path: Path, name: str) -> list[Scored]:
    """Read one decoding, in the order of ids.

    Raises:
        UserError: the file is no such archive, or has no decoding of this name.
    """
    head, *rows = _rows(path)
    if name not in head:
        raise UserError(f"{path}: has no errors of utterances of {name}, but of {', '.join(head[len(_ROW) :])}.")
    column, found = head.index(name), []
    for number, row in enumerate(rows, start=2):
        try:
            if row[column]:
                substituted, left_out, put_in, characters = map(int, row[column].split(" "))
                counts = substituted, left_out, put_in, int(row[3]), characters
                found.append(Scored(row[0], row[1], int(row[2]), *counts))
        except (ValueError, IndexError):
            raise UserError(f"{path}, line {number}: not counts of errors. Make the report again (stage 13).") from None
    return found


def _rows(path: Path) -> list[list[str]]:
    try:
        lines = gzip.decompress(path.read_bytes()).decode().split("\n")
        rows = [line.split("\t") for line in lines if line]
        if not rows or tuple(rows[0][: len(_ROW)]) != _ROW:
            raise ValueError("its header is another")
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            f"{path}: not errors of utterances as a report packs them ({error}). Make the report again (stage 13)."
        ) from None
    return rows
