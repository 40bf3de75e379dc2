"""Systems side by side: their results lines, whether they differ on the same utterances, and in what they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from understudy.score import utterances
from understudy.score.paired import Difference, difference
from understudy.score.results import latest, read_results
from understudy.score.utterances import Scored
from understudy.stage import UserError
from understudy.stage.marks import mark_of

# Of a line: what describes the system, not how it did.
_MADE_OF = (
    "recipe", "labelled_hours", "unlabelled_hours", "teacher", "supervision", "updates", "parameters", "seed",
    "acoustic_scale", "prior_scale", "word_penalty", "commit", "machine",
)  # fmt: skip


@dataclass(frozen=True)
class System:
    """A decoded system on one test set."""

    name: str
    """as it was asked for"""
    file: Path
    """of its line"""
    line: dict[str, Any]

    def scored(self) -> list[Scored]:
        """Errors of each utterance, in the order of ids.

        Raises:
            UserError: they are not there.
        """
        if "scored" not in self.line:
            raise UserError(f"{self.name}: decoded by an older version, without errors of utterances. Decode it again.")
        return sorted(utterances.read(self.file.parent / self.line["scored"] / "utterances.tsv"), key=lambda s: s.id)

    def made_of(self) -> dict[str, str]:
        """What it was made of: its line, and the options of its decoding and training where their folders are there."""
        facts = {key: _text(self.line.get(key)) for key in _MADE_OF}
        if "scored" not in self.line:
            return facts
        decoding = (self.file.parent / self.line["scored"]).parent
        # A recipe decodes into a folder of the model's own.
        for what, folder in (("training", decoding.parent), ("decoding", decoding)):
            if (mark := mark_of(folder)) and mark.done:
                record = mark.values["record"]
                facts |= {f"{what}: {k[7:]}": v for k, v in record.items() if k.startswith("option ")}
        facts.pop("decoding: system", None)
        return facts


def find(reference: str, default: Path) -> list[System]:
    """The system that `[FILE:]SYSTEM[@TEST_SET]` names, on that test set or on all that it was decoded on.

    Raises:
        UserError: no such file or system; those that there are, are named.
    """
    head, _, test_set = reference.partition("@")
    file, _, name = head.rpartition(":")
    path = Path(file) if file else default
    lines = latest(read_results(path))
    found = [line for line in lines if line["system"] == name and test_set in ("", line["test_set"])]
    if not found:
        known = sorted({f"{line['system']}@{line['test_set']}" for line in lines})
        raise UserError(f"{reference}: not in {path}, which has {', '.join(known)}.")
    recipes = {line["recipe"] for line in found}
    if len(recipes) > 1:
        raise UserError(f"{reference}: {path} has it of the recipes {', '.join(sorted(recipes))}. Compare one of them.")
    return [System(reference, path, line) for line in found]


def differ(first: Sequence[System], second: Sequence[System], by_speaker: bool = False, seed: int = 42) -> Difference:
    """The paired comparison of two systems; of one trained with several seeds, the mean errors of each utterance count.

    Raises:
        UserError: they were scored on other utterances, or by speaker where speakers have no names.
    """
    scored = [[system.scored() for system in of] for of in (first, second)]
    said = scored[0][0]
    for system, one in zip([*first, *second], [*scored[0], *scored[1]], strict=True):
        _check_same(first[0], said, system, one)
    if by_speaker and not all(s.speaker for s in said):
        raise UserError(f"{first[0].name}: its test set names no speakers. Compare by utterance.")
    errors = [[mean(s.errors for s in of_one) for of_one in zip(*of)] for of in scored]
    groups = [s.speaker for s in said] if by_speaker else None
    try:
        return difference([s.words for s in said], *errors, groups, seed)
    except ValueError as error:
        raise UserError(f"{first[0].name} and {second[0].name}: {error}") from None


def _check_same(first: System, said: list[Scored], second: System, other: list[Scored]) -> None:
    if [(s.id, s.words) for s in said] == [(s.id, s.words) for s in other]:
        return
    alone = {s.id for s in said} ^ {s.id for s in other}
    example = min(alone) if alone else next(a.id for a, b in zip(said, other) if a.words != b.words)
    raise UserError(
        f"{first.name} and {second.name} were scored on different utterances or references, such as {example}: "
        "their errors cannot be paired. Decode both on one test set."
    )


def differences(systems: Sequence[System]) -> dict[str, list[str]]:
    """What is not the same in all systems: of each, by what it is of."""
    facts = [system.made_of() for system in systems]
    names = dict.fromkeys(name for of in facts for name in of)
    table = {name: [of.get(name, "–") for of in facts] for name in names}
    return {name: values for name, values in table.items() if len(set(values)) > 1}


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
