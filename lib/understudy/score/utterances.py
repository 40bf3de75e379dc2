"""Errors of each utterance, from which totals, speakers' rates and paired tests are computed."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import kaldialign

from understudy.step import UserError, atomic_path


@dataclass(frozen=True, slots=True)
class Scored:
    """Error counts of one utterance, or sums over several."""

    id: str
    speaker: str
    words: int
    substitutions: int
    deletions: int
    insertions: int
    characters: int
    """characters of the reference, without spaces"""
    character_errors: int

    @property
    def errors(self) -> int:
        """Number of word errors of all three kinds."""
        return self.substitutions + self.deletions + self.insertions


def score(name: str, speaker: str, ref: Sequence[str], hyp: Sequence[str]) -> Scored:
    """Count the errors of one utterance by minimum edit distance, in words and in characters."""
    words, characters = kaldialign.edit_distance(list(ref), list(hyp)), "".join(ref)
    wrong = kaldialign.edit_distance(characters, "".join(hyp))["total"]
    return Scored(name, speaker, len(ref), words["sub"], words["del"], words["ins"], len(characters), wrong)


def rates(scored: Iterable[Scored]) -> dict[str, float | None]:
    """Return sentence and character error rate of a set, in %, by their names in the results; None if undefined."""
    scored = list(scored)
    characters = sum(s.characters for s in scored)
    return {
        "ser": 100 * sum(s.errors > 0 for s in scored) / len(scored) if scored else None,
        "cer": 100 * sum(s.character_errors for s in scored) / characters if characters else None,
    }


def by_speaker(scored: Iterable[Scored]) -> dict[str, Scored]:
    """Sum over each speaker's utterances; the speaker with the highest WER comes first."""
    members: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        members[one.speaker].append(one)
    counts = [field.name for field in fields(Scored)[2:]]
    sums = [Scored("", speaker, *(sum(getattr(m, c) for m in of) for c in counts)) for speaker, of in members.items()]
    return {s.speaker: s for s in sorted(sums, key=lambda s: (-s.errors / max(s.words, 1), s.speaker))}


def write(path: Path, scored: Iterable[Scored]) -> None:
    """Write a table, tab-separated, with a header, atomically."""
    with atomic_path(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(field.name for field in fields(Scored))
        writer.writerows(map(astuple, scored))


def read(path: Path) -> list[Scored]:
    """Read what `write` wrote.

    Raises:
        UserError: there is no such file, or a line is malformed; the message names the line.
    """
    if not path.exists():
        raise UserError(f"{path}: no such errors of utterances. Decode the system again (stage 11).")
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].split("\t") != [field.name for field in fields(Scored)]:
        raise UserError(f"{path}, line 1: not the header of a table of errors. Decode the system again (stage 11).")
    return [_row(path, number, line) for number, line in enumerate(lines[1:], start=2)]


def _row(path: Path, number: int, line: str) -> Scored:
    values = line.split("\t")
    try:
        row = Scored(values[0], values[1], *map(int, values[2:]))
        if len(values) != len(asdict(row)) or min(astuple(row)[2:]) < 0:
            raise ValueError
        return row
    except (ValueError, IndexError, TypeError):
        raise UserError(
            f"{path}, line {number}: not an utterance's errors: {line!r}. Decode the system again."
        ) from None
