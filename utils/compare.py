#!/usr/bin/env python3
"""Compare decoded systems: rates, whether each differs from the first on the same utterances, and how they were made.

A system is [FILE:]SYSTEM[@TEST_SET]; FILE is a results file, of this recipe or of another checkout. Differences are
tested over speakers, and for as many tests as are made together; fewer than eight speakers give an interval alone.

e.g.: utils/compare.py student-labelled student-distilled
      utils/compare.py exp/results.jsonl:student ../before/exp/results.jsonl:student
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from understudy.score.compare import System, check_alike, differ, differences, find
from understudy.score.interval import said, told
from understudy.score.paired import LEVEL, Difference, holm
from understudy.score.report import count, number, relative_reduction
from understudy.score.spread import By
from understudy.score.tested import sentence
from understudy.step import UserError, command


@dataclass
class Options:
    """What to compare."""

    systems: list[str] = field(default_factory=list)
    """the first is the baseline"""
    results: Path = Path("exp/results.jsonl")
    """results file of systems that are named without one"""
    by: By = "speaker"
    """what is paired and counted; utterance: only where utterances are known to be independent of each other"""
    level: float = LEVEL
    """level of significance: p, corrected for the number of tests, has to be below it"""


def run(options: Options) -> None:
    """Print a table for each test set that all were decoded on, then what they differ in."""
    if len(options.systems) < 2:
        raise UserError("name at least two systems, such as: utils/compare.py student-labelled student-distilled")
    found = [{s.line["test_set"]: s for s in find(name, options.results)} for name in options.systems]
    shared = [test_set for test_set in found[0] if all(test_set in of for of in found)]
    if not shared:
        raise UserError(f"there is no test set that all of {', '.join(options.systems)} were decoded on.")
    compared, faults = {}, []  # faults concern one test set; the others are compared all the same
    sets = {test_set: [of[test_set] for of in found] for test_set in shared}
    for test_set, systems in list(sets.items()):
        try:
            check_alike(systems)
        except UserError as error:
            faults.append(f"{test_set}: {error}")
            del sets[test_set]
            continue
        if not systems[0].line["words"]:
            continue  # there is no rate to compare, as its table says
        for system in systems[1:]:
            try:
                compared[test_set, system.name] = differ([systems[0]], [system], options.by)
            except UserError as error:
                faults.append(f"{test_set}: {error}")
    _print(sets, holm(compared), options.level)
    if sets and (facts := differences(next(iter(sets.values())))):
        print(f"\nIn what they differ\n\n{_grid(['', *options.systems], [[k, *v] for k, v in facts.items()])}")
    if faults:
        raise UserError("\n".join(faults))


_WORDLESS = "Its references have no words as they were scored, so that it has no WER, and nothing is compared."


def _print(sets: dict[str, list[System]], compared: dict[tuple[str, str], Difference], level: float) -> None:
    """Print the rates of each test set, and the tests of their differences."""
    for test_set, systems in sets.items():
        lines = [system.line for system in systems]
        about = said(lines) if lines[0]["words"] else _WORDLESS
        print(f"\n{test_set}, {lines[0]['words']} words. {sentence(lines)} {about}\n\n{_rates(systems)}")
        if here := {name: of for (where, name), of in compared.items() if where == test_set}:
            print(f"\n{_tests(systems[0].name, here, level)}")


def _rates(systems: list[System]) -> str:
    head = ["system", "WER % [95 %]", "errors", "S/D/I", "sentences wrong %", "CER %", "WERR %", "parameters", "CPU s"]
    rows = []
    for s in systems:
        line, werr = s.line, relative_reduction(systems[0].line["wer"], s.line["wer"])
        rows.append([
            s.name, told(line), line["errors"],
            f"{line['substitutions']}/{line['deletions']}/{line['insertions']}", number(line.get("ser"), ".1f"),
            number(line.get("cer"), ".2f"), "–" if s is systems[0] else number(werr, ".1f"),
            count(line.get("parameters")), number(line.get("cpu_s"), ".0f"),
        ])  # fmt: skip
    return _grid(head, rows)


def _tests(baseline: str, found: dict[str, Difference], level: float) -> str:
    tests = max(d.tests for d in found.values())
    corrected = f"p, corrected for {tests} test{'s' * (tests != 1)}"
    head = [f"against {baseline}", "WER, absolute [95 %]", "p", corrected, "verdict"]
    rows = []
    for name, d in found.items():
        verdict = d.verdict(level).replace("the second", name).replace("the first", baseline)
        rows.append([
            name, f"{d.wer:+.2f} [{d.low:+.2f}, {d.high:+.2f}]", number(d.p, ".4f"), number(d.corrected, ".4f"),
            f"{verdict} ({d.told()})",
        ])  # fmt: skip
    return _grid(head, rows)


def _grid(head: list[str], rows: list[list]) -> str:
    return tabulate(rows, headers=head, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    command(Options, run, first="systems")
