#!/usr/bin/env python3
"""Make a page of a recipe's run, in one file: results, training curves, an utterance, mistakes, how it was made.

e.g.: steps/report_page.py --exp exp --data data --baseline student-labelled
"""

from __future__ import annotations

from understudy.report.options import PageOptions
from understudy.step import command


def run(options: PageOptions) -> None:
    """Write the page from what the run has, and say what is missing."""
    from understudy.report.recipe_page import write_page

    write_page(options)


if __name__ == "__main__":
    command(PageOptions, run)
