"""Comparison of systems: their results, whether they differ on the same utterances, and how they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from understudy.score import archive, tested, utterances
from understudy.score.paired import Difference, difference
from understudy.score.results import latest, read_results
from understudy.score.spread import By
from understudy.score.utterances import Scored
from understudy.step import UserError, log
from understudy.step.status import status_of

# The entries of a results line that describe the system, not its results.
_MADE_OF = (
    "recipe", "labelled_hours", "unlabelled_hours", "teacher", "supervision", "updates", "parameters", "seed",
    "acoustic_scale", "prior_scale", "word_penalty", "commit", "machine",
)  # fmt: skip


@dataclass(frozen=True)
class System:
    """A decoded system on one test set."""

    name: str
    """name as the user gave it"""
    file: Path
    """results file of its line"""
    line: dict[str, Any]

    def scored(self) -> list[Scored]:
        """Read the errors of each utterance, in the order of ids, from the decoding's folder, else from the archive.

        Raises:
            UserError: they are in neither place, or their sums differ from the line.
        """
        if "scored" not in self.line:
            raise UserError(f"{self.name}: decoded by an older version, without errors of utterances. Decode it again.")
        if not self._decoded.exists() and self.line["scored"] in archive.names(self._packed):
            place, found = self._packed, archive.read(self._packed, self.line["scored"])
        else:
            place, found = self._decoded, sorted(utterances.read(self._decoded), key=lambda s: s.id)
        sums = {key: sum(getattr(one, key) for one in found) for key in ("errors", "words")}
        if any(self.line.get(key, value) != value for key, value in sums.items()):
            raise UserError(
                f"{self.name}: {place} has {sums['errors']} errors in {sums['words']} words, and its result "
                f"{self.line['errors']} in {self.line['words']}: they are of two decodings. Make the report again."
            )
        return found

    def has_scored(self) -> bool:
        """Whether `scored` can find errors of utterances."""
        if "scored" not in self.line:
            return False
        return self._decoded.exists() or self.line["scored"] in archive.names(self._packed)

    @property
    def _decoded(self) -> Path:
        return self.file.parent / self.line["scored"] / "utterances.tsv"

    @property
    def _packed(self) -> Path:
        return self.file.parent / archive.NAME

    def made_of(self) -> dict[str, str]:
        """Return how the system was made: entries of its line, and options of decoding and training if known."""
        facts = {key: _text(self.line.get(key)) for key in _MADE_OF}
        if "scored" not in self.line:
            return facts
        decoding = (self.file.parent / self.line["scored"]).parent
        # A recipe decodes into a subfolder of the model's folder.
        for what, folder in (("training", decoding.parent), ("decoding", decoding)):
            if (mark := status_of(folder)) and mark.done:
                record = mark.values["record"]
                facts |= {f"{what}: {k[7:]}": v for k, v in record.items() if k.startswith("option ")}
        facts.pop("decoding: system", None)
        return facts


def find(reference: str, default: Path) -> list[System]:
    """Find the system that `[FILE:]SYSTEM[@TEST_SET]` names, on that test set or on all its test sets.

    Raises:
        UserError: there is no such file or system (the message names those that exist), or several recipes have it.
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


def differ(first: Sequence[System], second: Sequence[System], by: By = "speaker") -> Difference:
    """Compare two systems on paired utterances; if a system has several seeds, an utterance counts their mean errors.

    Raises:
        UserError: the systems were scored on different utterances, or there is nothing to compare.
    """
    check_alike([*first, *second])
    scored = [[system.scored() for system in of] for of in (first, second)]
    said = scored[0][0]
    for system, one in zip([*first, *second], [*scored[0], *scored[1]], strict=True):
        _check_same(first[0], said, system, one)
    before, after = ([mean(s.errors for s in of_one) for of_one in zip(*of)] for of in scored)
    try:
        return difference([s.words for s in said], before, after, [s.speaker for s in said], by)
    except ValueError as error:
        raise UserError(f"{first[0].name} and {second[0].name}: {error}") from None


def check_alike(systems: Sequence[System]) -> None:
    """Raise UserError where rates of systems cannot be compared: other test sets, or another text normalisation."""
    for second in systems[1:]:
        _check_scored_alike(systems[0], second)
    tested.check((system.name, system.line) for system in systems)


def _check_scored_alike(first: System, second: System) -> None:
    ways = [system.line.get("normalise") or [] for system in (first, second)]
    if sorted(ways[0]) != sorted(ways[1]):
        told = " and ".join(", ".join(way) if way else "as they are" for way in ways)
        raise UserError(
            f"{first.name} and {second.name}: their texts were scored in different ways ({told}), which changes errors "
            "by itself. Decode both with one --normalise."
        )


def _check_same(first: System, said: list[Scored], second: System, other: list[Scored]) -> None:
    if [(s.id, s.words) for s in said] == [(s.id, s.words) for s in other]:
        return
    alone = {s.id for s in said} ^ {s.id for s in other}
    example = min(alone) if alone else next(a.id for a, b in zip(said, other) if a.words != b.words)
    raise UserError(
        f"{first.name} and {second.name} were scored on different utterances or references, such as {example}: "
        "their errors cannot be paired. Decode both on one test set."
    )


def pack_scored(lines: Sequence[dict[str, Any]], results: Path, folder: Path) -> None:
    """Archive the utterances' errors of these lines of `results` in `folder`; warn of lines without any."""
    found: dict[bool, list[System]] = {True: [], False: []}
    for system in (System(line["system"], results, line) for line in lines):
        found[system.has_scored()].append(system)
    if found[True]:
        archive.write(folder / archive.NAME, {system.line["scored"]: system.scored() for system in found[True]})
    if found[False]:
        names = ", ".join(dict.fromkeys(system.name for system in found[False]))
        log.warning("%s: no errors of utterances are at hand, and none are kept, of %s", results, names)


def differences(systems: Sequence[System]) -> dict[str, list[str]]:
    """Return what differs between systems: each system's value, by the name of the entry or option."""
    facts = [system.made_of() for system in systems]
    names = dict.fromkeys(name for of in facts for name in of)
    table = {name: [of.get(name, "–") for of in facts] for name in names}
    return {name: values for name, values in table.items() if len(set(values)) > 1}


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
