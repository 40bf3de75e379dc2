#!/usr/bin/env python3
"""Prepare the Free Spoken Digit Dataset (six speakers say ten digits fifty times each, at 8 kHz) for a recipe.

e.g.: local/free_spoken_digits/prepare.py --corpus-dir /corpora/free-spoken-digit-dataset --out data
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from understudy.corpus.audio import read_audio
from understudy.corpus.build import Utterance, write_sets
from understudy.corpus.download import Archive, fetched
from understudy.corpus.split import set_of_speakers
from understudy.features.frames import SAMPLE_RATE
from understudy.step import Step, UserError, atomic_path, main

_VERSION = "1.0.10"
# About 16 MB.
ARCHIVE = Archive(
    f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v{_VERSION}.tar.gz",
    folder=f"free-spoken-digit-dataset-{_VERSION}", min_bytes=5_000_000,
)  # fmt: skip
LEXICON = """\
ZERO Z IY R OW
ZERO Z IH R OW
ONE W AH N
TWO T UW
THREE TH R IY
FOUR F AO R
FIVE F AY V
SIX S IH K S
SEVEN S EH V AH N
EIGHT EY T
NINE N AY N
"""
_DIGITS = tuple(dict.fromkeys(line.split()[0] for line in LEXICON.splitlines()))
_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<take>\d+)")


@dataclass
class Options:
    """Options of the preparation. Two of the speakers, theo and yweweler, are 15 to 20 dB softer than the others."""

    out: Path
    """Folder of the manifests, lexicon.txt and the audio at 16 kHz."""
    corpus_dir: Path | None = None
    """The unpacked corpus: the folder that holds recordings/."""
    download_dir: Path | None = None
    """Where to fetch and unpack the corpus if --corpus-dir is not given."""
    labelled: list[str] = field(default_factory=lambda: ["george", "jackson"])
    """Speakers whose transcripts are used."""
    unlabelled: list[str] = field(default_factory=lambda: ["nicolas", "yweweler"])
    """Speakers whose speech is used without its transcripts; [] for none."""
    dev: list[str] = field(default_factory=lambda: ["lucas"])
    """Speakers that scales are tuned on."""
    test: list[str] = field(default_factory=lambda: ["theo"])
    """Speakers that results are given for."""


def run(options: Options, step: Step) -> None:
    """Write the manifests of the four sets and the lexicon."""
    home = set_of_speakers({name: getattr(options, name) for name in ("labelled", "unlabelled", "dev", "test")})
    utterances = list(_read(_corpus(options), home, options.out / "audio"))
    if missing := sorted(home.keys() - {utterance.speaker for utterance in utterances}):
        raise UserError(f"{', '.join(missing)}: no recording of such a speaker. Is the corpus whole?")
    write_sets(options.out, utterances, home)
    with atomic_path(options.out / "lexicon.txt") as partial:
        partial.write_text(LEXICON, encoding="utf-8")


def _corpus(options: Options) -> Path:
    if options.corpus_dir is None and options.download_dir is None:
        raise UserError(f"Give --corpus-dir (the folder that holds recordings/), or --download-dir for {ARCHIVE.url}.")
    folder = options.corpus_dir or fetched(ARCHIVE, options.download_dir)
    if not (folder / "recordings").is_dir():
        raise UserError(f"{folder}: no recordings/ in it. Give the folder that holds it.")
    return folder / "recordings"


def _read(recordings: Path, home: dict[str, str], audio: Path) -> Iterator[Utterance]:
    """Utterances of the speakers that have a set, in the order of their names."""
    for path in sorted(recordings.glob("*.wav")):
        if not (match := _NAME.fullmatch(path.stem)):
            raise UserError(f"{path}: expected a name such as 7_jackson_32.wav. Rename it, or take it out.")
        if match["speaker"] in home:
            copy = _resampled(path, audio / f"{path.stem}.flac")
            yield Utterance(path.stem, copy, _DIGITS[int(match["digit"])], match["speaker"])


def _resampled(path: Path, copy: Path) -> Path:
    """A copy at 16 kHz, 16 bits as recordings have them."""
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(copy) as partial:
            soundfile.write(partial, np.clip(read_audio(path), -1, 1), SAMPLE_RATE, subtype="PCM_16", format="FLAC")
    return copy


if __name__ == "__main__":
    main(Options, run, inputs=("corpus_dir",), output="out")
