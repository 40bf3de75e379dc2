"""The table of experiments: blocks of rows, each system compared with its baseline and the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

from understudy.score.interval import said
from understudy.score.paired import LEVEL, Difference
from understudy.score.report import count, labelled, number, relative_reduction
from understudy.score.tested import check, sentence
from understudy.step import UserError

Line = dict[str, Any]
Pair = tuple[str | None, str]
"""Names of a baseline and of a system"""


@dataclass(frozen=True)
class Row:
    """A row of the table, for one system."""

    block: str
    system: str
    baseline: str | None
    """system that its WERR is relative to"""
    oracle: str | None
    """system trained on the true labels of the unlabelled speech, whose gain bounds what can be reached"""


@dataclass(frozen=True)
class System:
    """A system, trained with one or several seeds; figures are means over the seeds."""

    lines: tuple[Line, ...]

    def mean(self, key: str) -> float:
        """Return the mean of a figure over the seeds."""
        return mean(line[key] for line in self.lines)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the WER (`interval.over` states its units); its bounds are means over the seeds."""
        return self.mean("wer_low"), self.mean("wer_high")

    def get(self, key: str) -> Any:
        """Return an entry that all seeds share."""
        return self.lines[0].get(key)


def read_rows(lines: Iterable[str], source: str) -> list[Row]:
    """Read rows from lines `block TAB system TAB baseline TAB oracle`, of which the last two may be empty.

    Raises:
        UserError: a line is malformed.
    """
    rows = []
    for at, line in enumerate(lines, 1):
        fields = line.rstrip("\n").split("\t")
        if len(fields) != 4 or not all(fields[:2]):
            raise UserError(f"{source}:{at}: not `block TAB system TAB baseline TAB oracle`: {line.rstrip()!r}")
        rows.append(Row(fields[0], fields[1], fields[2] or None, fields[3] or None))
    return rows


def systems(lines: list[Line]) -> dict[str, System]:
    """Return systems by name, with the last line of each seed, in the order of the seeds.

    Raises:
        UserError: the lines are of several recipes or test sets, of different sets with one name, or of a set without
            reference words.
    """
    if len({(line["recipe"], line["test_set"]) for line in lines}) > 1:
        raise UserError(
            "results of several recipes or test sets: a table is of one. Name the set with "
            "--test-set, or give it a results file of its own."
        )
    if wordless := [line for line in lines if line["wer"] is None]:
        raise UserError(
            f"{wordless[0]['system']} was tested on {wordless[0]['test_set']}, whose references have no words: there "
            "are no rates to make a table of. Name a test set with words, and decode anew."
        )
    found: dict[str, dict[Any, Line]] = {}
    for line in lines:
        found.setdefault(line["system"], {})[line.get("seed")] = line
    known = {name: System(tuple(of[s] for s in sorted(of, key=str))) for name, of in found.items()}
    check((line["system"], line) for system in known.values() for line in system.lines)
    return known


def recovery(system: System, baseline: System, oracle: System) -> float | None:
    """Return the WER recovery rate in %, the share of the oracle's gain that is reached; None if it gains nothing."""
    gain = baseline.mean("wer") - oracle.mean("wer")
    return 100 * (baseline.mean("wer") - system.mean("wer")) / gain if gain > 0 else None


@dataclass(frozen=True)
class _Entry:
    """A row with the systems that it names."""

    system: System
    name: str
    baseline: System | None
    oracle: System | None
    paired: Difference | None
    """difference from the baseline, on the same utterances"""

    def werr(self) -> str:
        if self.baseline is None or self.baseline is self.system:
            return "–"
        value = relative_reduction(self.baseline.mean("wer"), self.system.mean("wer"))
        return number(value, ".1f") + (" *" if self.paired and self.paired.significant() else "")

    def change(self) -> str:
        if self.paired is None or self.baseline is self.system:
            return "–"
        return f"{self.paired.wer:+.2f} [{self.paired.low:+.2f}, {self.paired.high:+.2f}]"

    def recovery(self) -> str:
        if self.oracle is None or self.baseline is None or self.system is self.oracle:
            return "–"
        return number(recovery(self.system, self.baseline, self.oracle), ".0f")

    def wer(self) -> str:
        return f"{self.system.mean('wer'):.2f} [{self.system.interval[0]:.2f}, {self.system.interval[1]:.2f}]"

    def seeds(self) -> str:
        return " ".join(f"{line['wer']:.2f}" for line in self.system.lines) if len(self.system.lines) > 1 else "–"


_COLUMNS: list[tuple[str, Callable[[_Entry], str]]] = [
    ("system", lambda e: e.name),
    ("parameters", lambda e: count(e.system.get("parameters"))),
    ("labelled h", lambda e: labelled(e.system.lines[0])),
    ("unlabelled h", lambda e: number(e.system.get("unlabelled_hours"), ".2f")),
    ("updates", lambda e: number(e.system.get("updates"), "d")),
    ("teacher", lambda e: e.system.get("teacher") or "–"),
    ("supervision", lambda e: e.system.get("supervision") or "–"),
    ("its CPU s/h", lambda e: number(e.system.get("target_cpu_s_per_hour"), ".1f")),
    ("WER % [95 %]", _Entry.wer),
    ("of each seed", _Entry.seeds),
    ("errors/words", lambda e: " ".join(f"{line['errors']}/{line['words']}" for line in e.system.lines)),
    ("empty", lambda e: str(sum(line["empty"] for line in e.system.lines))),
    ("change, absolute [95 %]", _Entry.change),
    ("WERR %", _Entry.werr),
    ("recovery %", _Entry.recovery),
]


def table_report(
    rows: list[Row], lines: list[Line], pictures: list[tuple[str, str]], paired: Mapping[Pair, Difference]
) -> str:
    """Return the table as Markdown: a table for each block, then the pictures; systems without result are named.

    Args:
        rows: rows of the table.
        lines: the results.
        pictures: paths and captions.
        paired: differences of systems from their baselines, where errors of utterances are known, corrected by `holm`.

    Raises:
        UserError: no row has a result.
    """
    known = systems(lines)
    missing = [row.system for row in rows if row.system not in known]
    if len(missing) == len(rows):
        raise UserError("no system of the table has a result yet.")
    first = next(iter(known.values()))
    text = [
        f"# Table: {first.get('recipe')}, {first.get('test_set')}", "",
        "Made from `table/results.jsonl` and `table/differences.jsonl` by `steps/report_table.py`; do not edit.", "",
        f"{sentence(lines)} {said(lines)} They, and WERs, are means over seeds where there are several.", "",
        f"WERR is the reduction of the WER relative to the block's baseline. {_stars(paired)} Recovery is the share of "
        "the gain that the true labels of the unlabelled speech would have brought.",
    ]  # fmt: skip
    for block in dict.fromkeys(row.block for row in rows):
        text += ["", f"## {block}", "", *_block([row for row in rows if row.block == block], known, paired)]
    if missing:
        text += ["", f"Without result yet: {', '.join(dict.fromkeys(missing))}."]
    for path, caption in pictures:
        text += ["", f"![{caption}]({path})", "", caption]
    made = sorted({(line["commit"], line["machine"]) for line in lines})
    return "\n".join([*text, "", "Commit, machine: " + "; ".join(", ".join(one) for one in made) + "."]) + "\n"


def _stars(paired: Mapping[Pair, Difference]) -> str:
    """Return a sentence on the meaning of a star, with the numbers of speakers and tests, or on why there is none."""
    tested = [of for of in paired.values() if of.p is not None]
    if tested:
        return (
            f"* marks a change that is more than chance: p < {LEVEL} in a paired test over {tested[0].told()}, "
            f"corrected by Holm's method for the table's {len(tested)} tests."
        )
    if paired:
        told = next(iter(paired.values())).told()
        return f"No change is marked as more than chance: {told} are too few to tell."
    return "No change is marked as more than chance: the errors of utterances are not here."


def _block(rows: list[Row], known: dict[str, System], paired: Mapping[Pair, Difference]) -> list[str]:
    def of(name: str | None) -> System | None:
        return known.get(name) if name is not None else None

    entries = [
        _Entry(known[r.system], r.system, of(r.baseline), of(r.oracle), paired.get((r.baseline, r.system)))
        for r in rows
        if r.system in known
    ]
    if not entries:
        return ["No result yet."]
    filled = [(name, [cell(e) for e in entries]) for name, cell in _COLUMNS]
    filled = [(name, cells) for name, cells in filled if set(cells) != {"–"}]
    baselines = ", ".join(dict.fromkeys(row.baseline for row in rows if row.baseline))
    return [
        f"Baseline: {baselines or 'none'}.", "", "| " + " | ".join(name for name, _ in filled) + " |",
        "|" + " --- |" * len(filled),
        *("| " + " | ".join(cells) + " |" for cells in zip(*(cells for _, cells in filled), strict=True)),
    ]  # fmt: skip
