"""What the commands that take in a corpus share: which layout it has, and what else their output depends on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

from understudy.intake import LAYOUTS, layout
from understudy.intake.options import Corpus
from understudy.intake.speech import detector_version
from understudy.lang.graphemes import GRAPHEMES
from understudy.step import UserError, fingerprint

_OPTION = "--from"


def layout_of(argv: list[str], doc: str) -> tuple[str, list[str]]:
    """The layout that --from names, and the other arguments: each layout has options of its own.

    A name that is none, or is missing, ends the program with status 2; --help alone tells what the program does.
    """
    choices = ", ".join([*LAYOUTS, "lhotse:CORPUS"])
    if _OPTION not in argv and {"--help", "-h"} & {*argv}:
        usage = f"usage: {Path(sys.argv[0]).name} {_OPTION} LAYOUT [options of the layout]"
        print(f"{usage}\n\n{doc}\nLayouts are {choices}; --help behind one tells its options.")
        raise SystemExit(0)
    if _OPTION not in argv or argv.index(_OPTION) + 1 == len(argv):
        _end(f"give {_OPTION} and the layout of the corpus: {choices}. With --help behind it, it tells its options.")
    at = argv.index(_OPTION)
    name = argv[at + 1]
    try:
        layout(name)
    except KeyError:
        _end(f"{_OPTION} {name}: must be one of {choices}.")
    return name, argv[:at] + argv[at + 2 :]


def digests(corpus: Corpus) -> dict[str, str]:
    """Of what counts besides the paths themselves: texts within folders, the lexicon where it is a file, and the
    version of the detector that may cut recordings.

    Raises:
        UserError: there is no such lexicon, or nothing to read.
    """
    found = {}
    for name, source in corpus.sources().items():
        if files := sorted(corpus.texts(source)):
            found[f"texts of {name}"] = fingerprint.digest({str(file): fingerprint.of_file(file) for file in files})
    if corpus.cut.longest is not None:
        found["detector of speech"] = str(detector_version())
    if corpus.lexicon == GRAPHEMES:
        return found
    if not (path := Path(corpus.lexicon)).is_file():
        raise UserError(f"--lexicon {path}: no such file. Give one with lines of WORD PHONE PHONE …, or {GRAPHEMES}.")
    return {**found, "digest of the lexicon": fingerprint.of_file(path)}


def _end(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2)
