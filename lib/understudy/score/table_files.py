"""Writing of the table of experiments, with its pictures and its results lines."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from understudy.score import table
from understudy.score.compare import System, differ, pack_scored
from understudy.score.options import TableOptions
from understudy.score.paired import Difference, holm
from understudy.score.pictures import draw
from understudy.score.results import as_lines, read_results
from understudy.score.table import Pair, Row, read_rows, systems, table_report
from understudy.step import UserError, atomic_path, to_json


def write_table(options: TableOptions) -> None:
    """Write the table, pictures, results lines and differences of the rows' systems, baselines and oracles.

    Raises:
        UserError: there is no such file, no row has a result, or results cannot be compared.
    """
    if not options.rows.exists():
        raise UserError(f"{options.rows}: no such file")
    rows = read_rows(options.rows.read_text().splitlines(), str(options.rows))
    named = {name for row in rows for name in (row.system, row.baseline, row.oracle)}
    lines = [line for line in read_results(options.results) if line["system"] in named]
    if options.test_set is not None:
        lines = [line for line in lines if line["test_set"] == options.test_set]
    known = systems(lines)
    lines = [line for system in known.values() for line in system.lines]
    folder = options.out.parent / "table"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [(f"table/{name}", caption) for name, caption in draw(rows, known, options.curves, folder)]
    paired = _paired(rows, known, options.results)
    text = table_report(rows, lines, pictures, paired)
    with atomic_path(options.out) as partial:
        partial.write_text(text)
    pack_scored(lines, options.results, folder)
    with atomic_path(folder / "results.jsonl") as partial:
        partial.write_text(as_lines(lines))
    with atomic_path(folder / "differences.jsonl") as partial:
        pairs = ({"baseline": pair[0], "system": pair[1], **asdict(of)} for pair, of in paired.items())
        partial.write_text("".join(to_json(pair, "a difference") + "\n" for pair in pairs))
    print(f"{options.out}: {len(lines)} results of {len(known)} systems")


def _paired(rows: list[Row], known: dict[str, table.System], results: Path) -> dict[Pair, Difference]:
    """Return the corrected differences of all rows with a baseline, where both systems' errors of utterances exist."""
    decoded = {name: [System(name, results, line) for line in of.lines] for name, of in known.items()}
    pairs = {(row.baseline, row.system): None for row in rows if row.baseline in known and row.system in known}
    return holm({
        (baseline, name): differ(decoded[baseline], decoded[name])
        for baseline, name in pairs
        if baseline != name and all(s.has_scored() for s in (*decoded[baseline], *decoded[name]))
    })  # fmt: skip
