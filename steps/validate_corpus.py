#!/usr/bin/env python3
"""Check manifests and audio before hours are spent on them: files, rates, times, transcripts, speakers, levels.

What the sets hold is in report.json and, with pictures, in corpus.html.

e.g.: steps/validate_corpus.py --cuts '[data/labelled.jsonl.gz, data/test.jsonl.gz]' --out data/.valid
"""

from __future__ import annotations

from understudy.corpus.options import ValidationOptions
from understudy.step import Step, log, main


def run(options: ValidationOptions, step: Step) -> None:
    """Validate set by set and report what was kept and how sets and speakers differ, on a page too."""
    from understudy.corpus.validation import validate_corpus
    from understudy.report.corpus_page import NAME, write_corpus_page

    found, warnings = validate_corpus(options, step.out)
    write_corpus_page(step.out, found, warnings, options.lexicon)
    log.info("%s shows what the sets hold", step.out / NAME)


if __name__ == "__main__":
    main(ValidationOptions, run, inputs=("cuts", "lexicon"), output="out")
