#!/usr/bin/env python3
"""Make the language folder: lexicon, phones, words, and an n-gram of the training transcripts.

e.g.: steps/make_lang.py --lexicon data/lexicon.txt --cuts data/labelled.jsonl.gz --out exp/lang
"""

from __future__ import annotations

from understudy.lang.options import LangOptions
from understudy.step import Step, main


def run(options: LangOptions, step: Step) -> None:
    """Check the words, write the folder, and report the model's perplexity on each set."""
    from understudy.lang.make import make_lang

    make_lang(options, step.out)


if __name__ == "__main__":
    main(
        LangOptions,
        run,
        unfingerprinted=("lexicon",),
        inputs=("lexicon_file", "cuts", "extra_cuts", "words", "text", "arpa"),
    )
