#!/usr/bin/env python3
"""Prepare mini LibriSpeech (5 h of training and 2 h of test speech from audio books, 16 kHz) for a recipe.

With `--lm librispeech`, its lexicon and small trigram are taken from a folder or fetched. Otherwise pronunciations come
from CMU's dictionary, which is installed, and the next stages estimate a language model.

e.g.: local/mini_librispeech/prepare.py --corpus-dir /corpora/LibriSpeech --labelled-speakers 0.25 --out data
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dictionary import pronunciations
from language import ARPA, LEXICON, language_file, link_arpa
from parts import read_part

from understudy.corpus.build import SETS, Utterance, write_sets
from understudy.corpus.download import Archive, fetched
from understudy.corpus.split import set_of_speakers, split_speakers
from understudy.lang.general_lm import frequent_words
from understudy.lang.lexicon import say_oov, write_entries
from understudy.step import Step, UserError, atomic_path, log, main

TRAIN, TEST = "train-clean-5", "dev-clean-2"  # LibriSpeech's "dev" is what results on this corpus are given for
_URL = "https://www.openslr.org/resources/31"
# About 332 and 126 MB.
ARCHIVES = (
    Archive(f"{_URL}/{TRAIN}.tar.gz", f"LibriSpeech/{TRAIN}", 250_000_000, digests=f"{_URL}/md5sum.txt"),
    Archive(f"{_URL}/{TEST}.tar.gz", f"LibriSpeech/{TEST}", 90_000_000, digests=f"{_URL}/md5sum.txt"),
)

_MORE = "--also-unlabelled"  # what its speakers are called where one of them is in another set


@dataclass
class Options:
    """Options of the preparation."""

    out: Path
    """Folder of the manifests, lexicon.txt and text.txt (the sentences of labelled and unlabelled speech)."""
    corpus_dir: Path | None = None
    """The unpacked corpus: the folder that holds train-clean-5/ and dev-clean-2/, or LibriSpeech/ with them."""
    download_dir: Path | None = None
    """Where to fetch and unpack the corpus if --corpus-dir is not given."""
    lm: Literal["librispeech", "estimated"] = "estimated"
    """LibriSpeech's small trigram, linked as lm.arpa.gz, and all words of its lexicon; or a language model that is
    estimated from text.txt. Where the former cannot be fetched, it is the latter, and the log says so."""
    lm_dir: Path | None = None
    """Folder of librispeech-lexicon.txt and 3-gram.pruned.3e-7.arpa.gz, for --lm librispeech; else they are fetched."""
    lexicon: Path | None = None
    """With --lm estimated, a lexicon with the phones of CMU's dictionary, in place of that one."""
    lexicon_words: Literal["training", "all"] = "training"
    """With --lm estimated, the words of lexicon.txt: those of text.txt, or all, for a language model that knows more
    (and a far larger graph)."""
    common_words: int = 0
    """Besides those of text.txt, as many of the most frequent words of general English that have a pronunciation."""
    also_test: list[Path] = field(default_factory=list)
    """Further parts of LibriSpeech to test on, such as /corpora/LibriSpeech/test-clean: sets of the folders' names."""
    also_unlabelled: list[Path] = field(default_factory=list)
    """Further parts to hear without their transcripts, such as /corpora/LibriSpeech/dev-clean: what their speakers say
    is unlabelled speech, and no language model's text."""
    labelled_speakers: float = 1.0
    """Share of the training speakers (without dev) whose transcripts are used; the others are unlabelled."""
    dev_speakers: int = 3
    """Training speakers held out for tuning, of 28."""
    seed: int = 1
    """Seed of the split."""


def run(options: Options, step: Step) -> None:
    """Write the manifests of the four sets, and of further test sets, and the lexicon."""
    corpus = _corpus(options)
    train = read_part(corpus / TRAIN)
    tests = {"test": read_part(corpus / TEST), **_further(options.also_test)}
    language = _librispeechs(options)
    entries = pronunciations(language[0] if language else options.lexicon)
    more = [utterance for folder in options.also_unlabelled for utterance in read_part(folder)]
    split = split_speakers(speakers_of(train), options.labelled_speakers, options.dev_speakers, options.seed)
    others = {name: speakers_of(part) for name, part in tests.items()} | {_MORE: speakers_of(more)}
    home = {
        speaker: "unlabelled" if name == _MORE else name for speaker, name in set_of_speakers(split | others).items()
    }
    sets = write_sets(options.out, itertools.chain(train, more, *tests.values()), home)
    sentences = [u.text.upper() for u in train if home[u.speaker] in ("labelled", "unlabelled")]
    if language:
        link_arpa(language[1], options.out)
    elif options.lexicon_words == "training":
        words = {word for sentence in sentences for word in sentence.split()}
        words |= frequent_words({word for word, _ in entries}, options.common_words)
        entries = [entry for entry in entries if entry[0] in words]
    known = {word for word, _ in entries}
    for name, chosen in sets.items():
        say_oov(name, known, (u.text.upper() for u in chosen))
    write_entries(entries, options.out / "lexicon.txt")
    with atomic_path(options.out / "text.txt") as partial:
        partial.write_text("".join(f"{sentence}\n" for sentence in sentences), encoding="utf-8")


def _librispeechs(options: Options) -> tuple[Path, Path] | None:
    """LibriSpeech's lexicon and trigram; None where they are not wanted, or cannot be fetched."""
    if options.lm == "estimated":
        return None
    try:
        lexicon, arpa = (language_file(what, options.lm_dir, options.download_dir) for what in (LEXICON, ARPA))
    except UserError as error:
        if options.lm_dir is not None:
            raise
        log.warning(
            "LibriSpeech's lexicon and trigram: %s In their place, CMU's dictionary is taken, and a trigram of the "
            "training sentences and of general English is estimated, with which the errors are more.", error
        )  # fmt: skip
        return None
    return lexicon, arpa


def speakers_of(part: Iterable[Utterance]) -> list[str]:
    """Who speaks in it, each once."""
    return sorted({utterance.speaker for utterance in part})


def _further(folders: list[Path]) -> dict[str, list[Utterance]]:
    """Further test sets by their names. Raises UserError: a name is taken, or cannot be a set's."""
    found: dict[str, list[Utterance]] = {}
    for folder in folders:
        name = folder.resolve().name
        if name in found or name in SETS or not re.fullmatch(r"[\w-]+", name):
            raise UserError(f"--also-test {folder}: {name!r} must be letters that no other set has. Rename it.")
        found[name] = read_part(folder)
    return found


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


if __name__ == "__main__":
    main(Options, run, inputs=("corpus_dir", "lm_dir", "lexicon", "also_test", "also_unlabelled"), output="out")
