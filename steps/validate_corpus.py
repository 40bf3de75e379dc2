#!/usr/bin/env python3
"""Check manifests and audio before hours are spent on them: files, rates, times, transcripts, speakers, levels.

e.g.: steps/validate_corpus.py --cuts '[data/labelled.jsonl.gz, data/test.jsonl.gz]' --out data/.valid
"""

from __future__ import annotations

from understudy.corpus.options import ValidationOptions
from understudy.step import Step, main


def run(options: ValidationOptions, step: Step) -> None:
    """Validate set by set and say what was kept; then how sets and speakers differ."""
    from understudy.corpus.validation import validate_corpus

    validate_corpus(options, step.out)


if __name__ == "__main__":
    main(ValidationOptions, run, inputs=("cuts",), output="out")
