#!/usr/bin/env python3
"""Make the table of a grid of experiments and its pictures from the lines of a results file.

e.g.: steps/report_table.py --results exp-table/results.jsonl --rows exp-table/rows.tsv --out TABLE.md
"""

from __future__ import annotations

from understudy.score.options import TableOptions
from understudy.step import command


def run(options: TableOptions) -> None:
    """Write the table, from the lines of the rows' systems, baselines and oracles alone."""
    from understudy.score.table_files import write_table

    write_table(options)


if __name__ == "__main__":
    command(TableOptions, run)
