#!/usr/bin/env python3
"""Make a recipe's manifests of a corpus of your own: Kaldi data, a table, a folder of audio, or what Lhotse reads.

e.g.: steps/prepare_corpus.py --from folder --path /corpora/mine --labelled 0.5 --out data/corpus
      steps/prepare_corpus.py --from table --help
"""

from __future__ import annotations

import sys
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

from understudy.intake import Corpus, layout
from understudy.intake.command import digests, layout_of
from understudy.parallel.workers import Workers
from understudy.step import Step, main


def run(options: Any, step: Step) -> None:
    """Read the corpus, divide it into sets, convert audio, write manifests."""
    from understudy.intake.take_in import take_in

    audio = options.audio or step.out / "audio"
    with Workers(options.jobs, out=audio) as workers:
        take_in(options, step.out, audio, workers)


def options_of(kind: type[Corpus]) -> type:
    """Return the options of a layout and of its output."""
    fields = [("out", Path), ("audio", Path | None, None), ("jobs", int, 1)]
    made = make_dataclass("Options", fields, bases=(kind,), kw_only=True)
    made.__doc__ = f"""{kind.__doc__}

    Args:
        out: folder of the manifests, lexicon.txt and report.json
        audio: folder of converted audio, which stays when the sets are made anew; by default one in --out
        jobs: processes that convert audio
    """
    return made


if __name__ == "__main__":
    name, argv = layout_of(sys.argv[1:], __doc__)
    main(
        options_of(layout(name)),
        run,
        inputs=("path", "labelled_path", "unlabelled_path", "dev_path", "test_path", "text"),
        unfingerprinted=("audio", "jobs"),
        argv=argv,
        typed=sys.argv[1:],
        extra_fingerprint=lambda options: {"from": name, **digests(options)},
    )
