#!/usr/bin/env python3
"""Prepare the AN4 corpus (948 training and 130 test utterances of census data, 16 kHz) for a recipe.

e.g.: local/an4/prepare.py --corpus-dir /corpora/an4 --labelled-speakers 0.5 --out data
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from understudy.corpus.build import Utterance, write_sets
from understudy.corpus.download import Archive, fetched
from understudy.corpus.split import set_of_speakers, split_speakers
from understudy.step import Step, UserError, atomic_path, main

# About 64 MB.
ARCHIVE = Archive("http://www.speech.cs.cmu.edu/databases/an4/an4_sphere.tar.gz", folder="an4", min_bytes=40_000_000)
_SUFFIXES = (".wav", ".sph", ".raw")
_RATE = 16000
_FILLERS = {"<s>", "</s>", "<sil>", "++NOISE++", "++BREATH++", "++SMACK++", "++COUGH++"}
_LINE = re.compile(r"^(?P<words>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")


@dataclass
class Options:
    """Options of the preparation."""

    out: Path
    """Folder of the manifests and lexicon.txt."""
    corpus_dir: Path | None = None
    """The unpacked corpus: the folder that holds etc/ and wav/."""
    download_dir: Path | None = None
    """Where to fetch and unpack the corpus if --corpus-dir is not given."""
    labelled_speakers: float = 1.0
    """Share of the training speakers (without dev) whose transcripts are used; the others are unlabelled."""
    dev_speakers: int = 8
    """Training speakers held out for tuning."""
    seed: int = 1
    """Seed of the split."""


def run(options: Options, step: Step) -> None:
    """Write the manifests of the four sets and the lexicon."""
    corpus = _corpus(options)
    train, test = _read(corpus, "train", options.out), _read(corpus, "test", options.out)
    speakers = (utterance.speaker for utterance in train)
    split = split_speakers(speakers, options.labelled_speakers, options.dev_speakers, options.seed)
    home = set_of_speakers({**split, "test": sorted({u.speaker for u in test})})
    write_sets(options.out, (*train, *test), home)
    _write_lexicon(corpus / "etc" / "an4.dic", options.out / "lexicon.txt")


def _corpus(options: Options) -> Path:
    if options.corpus_dir is not None:
        return _checked(options.corpus_dir)
    if options.download_dir is None:
        raise UserError(f"Give --corpus-dir (an unpacked AN4), or --download-dir to fetch {ARCHIVE.url}.")
    return _checked(fetched(ARCHIVE, options.download_dir))


def _checked(folder: Path) -> Path:
    for part in ("etc", "wav"):
        if not (folder / part).is_dir():
            raise UserError(f"{folder}: no {part}/ in it, so not AN4. Give the folder that holds etc/ and wav/.")
    return folder


def _read(corpus: Path, part: str, out: Path) -> list[Utterance]:
    """Utterances of a part ("train" or "test"): file ids and transcripts go line by line together."""
    listing = corpus / "etc" / f"an4_{part}.fileids"
    transcripts = listing.with_suffix(".transcription")
    words = dict(_transcripts(transcripts))
    utterances = []
    for number, line in enumerate(_lines(listing), start=1):
        file_id = line.strip()
        utterance, speaker = Path(file_id).name, Path(file_id).parent.name
        if utterance not in words:
            raise UserError(f"{listing}, line {number}: {utterance} has no transcript in {transcripts}.")
        audio = _playable(_audio(corpus / "wav" / file_id), out, utterance)
        utterances.append(Utterance(utterance, audio, words[utterance], speaker))
    return utterances


def _lines(path: Path) -> list[str]:
    if not path.exists():
        raise UserError(f"{path}: no such file. Is the corpus whole?")
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _transcripts(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(_lines(path), start=1):
        if not (match := _LINE.match(line)):
            raise UserError(f"{path}, line {number}: expected 'WORDS (utterance)', found {line.strip()!r}.")
        kept = [word for word in match["words"].split() if word not in _FILLERS]
        yield match["id"], " ".join(re.sub(r"\(\d+\)$", "", word) for word in kept)


def _audio(stem: Path) -> Path:
    for suffix in _SUFFIXES:
        if (path := stem.with_name(stem.name + suffix)).exists():
            return path
    raise UserError(f"{stem}: no audio file ({', '.join(_SUFFIXES)}). Is the corpus whole?")


def _playable(path: Path, out: Path, utterance: str) -> Path:
    """The file itself, or for the headerless originals (16 bit, big-endian, 16 kHz) a FLAC copy."""
    if path.suffix != ".raw":
        return path
    copy = out / "audio" / f"{utterance}.flac"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(copy) as tmp:
            soundfile.write(tmp, np.fromfile(path, dtype=">i2").astype(np.int16), _RATE, subtype="PCM_16")
    return copy


def _write_lexicon(source: Path, target: Path) -> None:
    """One line per pronunciation, without the markers of variants; silence is not a word."""
    rows = []
    for number, line in enumerate(_lines(source), start=1):
        word, *phones = line.split()
        if not phones:
            raise UserError(f"{source}, line {number}: {word} has no pronunciation.")
        if word not in _FILLERS:
            rows.append(f"{re.sub(r'[(][0-9]+[)]$', '', word)} {' '.join(phones)}")
    with atomic_path(target) as tmp:
        tmp.write_text("\n".join(dict.fromkeys(rows)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Options, run, inputs=("corpus_dir",), output="out")
