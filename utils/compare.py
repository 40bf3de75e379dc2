#!/usr/bin/env python3
"""Compare decoded systems: rates, whether each differs from the first on the same utterances, and what they are of.

A system is [FILE:]SYSTEM[@TEST_SET]; FILE is a results file, of this recipe or of another checkout.

e.g.: utils/compare.py student-labelled student-distilled
      utils/compare.py exp/results.jsonl:student ../before/exp/results.jsonl:student --by_speaker true
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from understudy.score.compare import System, differ, differences, find
from understudy.score.report import count, number, relative_reduction
from understudy.stage import UserError, command


@dataclass
class Options:
    """What to compare."""

    systems: list[str] = field(default_factory=list)
    """the first is the baseline"""
    results: Path = Path("exp/results.jsonl")
    """where systems without a file are"""
    by_speaker: bool = False
    """pair and draw whole speakers: for test sets of many, whose utterances hang together"""
    level: float = 0.01
    """both tests must be below it before a difference is called one"""
    seed: int = 42
    """of the bootstrap"""


def run(options: Options) -> None:
    """Print a table for each test set that all were decoded on, then what they differ in."""
    if len(options.systems) < 2:
        raise UserError("name at least two systems, such as: utils/compare.py student-labelled student-distilled")
    found = [{s.line["test_set"]: s for s in find(name, options.results)} for name in options.systems]
    shared = [test_set for test_set in found[0] if all(test_set in of for of in found)]
    if not shared:
        raise UserError(f"there is no test set that all of {', '.join(options.systems)} were decoded on.")
    for test_set in shared:
        systems = [of[test_set] for of in found]
        print(f"\n{test_set}, {systems[0].line['words']} words\n\n{_rates(systems)}\n\n{_tests(systems, options)}")
    if facts := differences([of[shared[0]] for of in found]):
        print(f"\nIn what they differ\n\n{_grid(['', *options.systems], [[k, *v] for k, v in facts.items()])}")


def _rates(systems: list[System]) -> str:
    head = ["system", "WER % [95 %]", "errors", "S/D/I", "sentences wrong %", "CER %", "WERR %", "parameters", "CPU s"]
    rows = []
    for s in systems:
        line, werr = s.line, relative_reduction(systems[0].line["wer"], s.line["wer"])
        rows.append([
            s.name, f"{line['wer']:.2f} [{line['wer_low']:.2f}, {line['wer_high']:.2f}]", line["errors"],
            f"{line['substitutions']}/{line['deletions']}/{line['insertions']}", number(line.get("ser"), ".1f"),
            number(line.get("cer"), ".2f"), "–" if s is systems[0] else number(werr, ".1f"),
            count(line.get("parameters")), number(line.get("cpu_s"), ".0f"),
        ])  # fmt: skip
    return _grid(head, rows)


def _tests(systems: list[System], options: Options) -> str:
    head = [f"against {systems[0].name}", "WER, absolute [95 %]", "p, bootstrap", "p, matched pairs", "verdict"]
    rows = []
    for other in systems[1:]:
        d = differ([systems[0]], [other], options.by_speaker, options.seed)
        verdict = d.verdict(options.level).replace("the second", other.name).replace("the first", systems[0].name)
        rows.append([
            other.name, f"{d.wer:+.2f} [{d.low:+.2f}, {d.high:+.2f}]", f"{d.p_bootstrap:.4f}", f"{d.p_matched:.4f}",
            f"{verdict} ({d.pairs} {'speakers' if options.by_speaker else 'utterances'})",
        ])  # fmt: skip
    return _grid(head, rows)


def _grid(head: list[str], rows: list[list]) -> str:
    return tabulate(rows, headers=head, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    command(Options, run, first="systems")
