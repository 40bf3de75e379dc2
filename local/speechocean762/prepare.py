#!/usr/bin/env python3
"""Prepare speechocean762 (2500 training and 2500 test sentences read by Mandarin speakers, 16 kHz) for a recipe.

e.g.: local/speechocean762/prepare.py --corpus-dir /corpora/speechocean762 --labelled-speakers 0.25 --out data
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.corpus.build import Utterance, write_sets
from understudy.corpus.download import Archive, fetched
from understudy.corpus.split import set_of_speakers, split_speakers
from understudy.lang.lexicon import read_entries, say_oov, without_stress, write_entries
from understudy.step import Step, UserError, atomic_path, main

# About 520 MB.
ARCHIVE = Archive(
    "https://www.openslr.org/resources/101/speechocean762.tar.gz", folder="speechocean762", min_bytes=400_000_000
)
_SUFFIXES = (".WAV", ".wav", ".flac", ".opus")


@dataclass
class Options:
    """Options of the preparation."""

    out: Path
    """Folder of the manifests, lexicon.txt and text.txt (the sentences of the training speakers without dev)."""
    corpus_dir: Path | None = None
    """The unpacked corpus: the folder that holds train/, test/, resource/ and WAVE/."""
    download_dir: Path | None = None
    """Where to fetch and unpack the corpus if --corpus-dir is not given."""
    labelled_speakers: float = 1.0
    """Share of the training speakers (without dev) whose transcripts are used; the others are unlabelled."""
    dev_speakers: int = 12
    """Training speakers held out for tuning, of 125."""
    unlabelled_test_speakers: float = 0.0
    """Share of the 125 test speakers that are unlabelled speech too, and not tested on."""
    seed: int = 1
    """Seed of the split."""


def run(options: Options, step: Step) -> None:
    """Write the manifests of the four sets and the lexicon."""
    corpus = _corpus(options)
    train, test = _read(corpus, "train"), _read(corpus, "test")
    # The digits of stress are no help here: words of one syllable have 0 like the unstressed (MARK: M AA0 R K), 83
    # vowels have none, and the speakers' stress is their own.
    entries = without_stress(read_entries(corpus / "resource" / "lexicon.txt"))
    speakers = (utterance.speaker for utterance in train)
    split = split_speakers(speakers, options.labelled_speakers, options.dev_speakers, options.seed)
    heard, split["test"] = _untested(test, options)
    split["unlabelled"] += heard
    sets = write_sets(options.out, (*train, *test), set_of_speakers(split))
    known = {word for word, _ in entries}
    for name, chosen in sets.items():
        say_oov(name, known, (u.text.upper() for u in chosen))
    write_entries(entries, options.out / "lexicon.txt")
    with atomic_path(options.out / "text.txt") as tmp:
        spoken = (u for u in (*sets["labelled"], *sets["unlabelled"]) if u.speaker not in heard)
        tmp.write_text("".join(f"{u.text.upper()}\n" for u in spoken), encoding="utf-8")


def _untested(test: list[Utterance], options: Options) -> tuple[list[str], list[str]]:
    """Speakers of the corpus's test set that are unlabelled speech, and those that are tested on."""
    speakers, share = sorted({u.speaker for u in test}), options.unlabelled_test_speakers
    tested = round((1 - share) * len(speakers))
    if share < 0 or tested == 0:
        raise UserError(f"--unlabelled-test-speakers {share}: must be at least 0, and leave speakers to test on")
    if tested == len(speakers):
        return [], speakers
    split = split_speakers(speakers, 1.0, tested, options.seed)
    return split["labelled"], split["dev"]


def _corpus(options: Options) -> Path:
    if options.corpus_dir is not None:
        return _checked(options.corpus_dir)
    if options.download_dir is None:
        raise UserError(f"Give --corpus-dir (an unpacked speechocean762), or --download-dir to fetch {ARCHIVE.url}.")
    return _checked(fetched(ARCHIVE, options.download_dir))


def _checked(folder: Path) -> Path:
    for part in ("train", "test", "resource"):
        if not (folder / part).is_dir():
            raise UserError(
                f"{folder}: no {part}/ in it, so not speechocean762. Give the folder that holds train/, test/, "
                "resource/ and WAVE/."
            )
    return folder


def _read(corpus: Path, part: str) -> list[Utterance]:
    """Utterances of a part ("train" or "test") from its three tables, which name the same utterances."""
    folder = corpus / part
    audio, speakers, texts = (_table(folder / name) for name in ("wav.scp", "utt2spk", "text"))
    for name, table in (("utt2spk", speakers), ("text", texts)):
        if differing := sorted(audio.keys() ^ table.keys()):
            raise UserError(
                f"{folder}: wav.scp and {name} differ by {len(differing)} utterances ({differing[0]}). "
                "Is the corpus whole?"
            )
    return [Utterance(key, _audio(corpus / path), texts[key], speakers[key]) for key, path in sorted(audio.items())]


def _table(path: Path) -> dict[str, str]:
    """Kaldi's tables: on each line a key, space or tab, and a value."""
    if not path.exists():
        raise UserError(f"{path}: no such file. Is the corpus whole?")
    table: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split(maxsplit=1)
        if len(fields) != 2:
            raise UserError(f"{path}, line {number}: expected an utterance and its value, found {line!r}. Mend it.")
        key, value = fields
        if key in table:
            raise UserError(f"{path}, line {number}: {key} comes twice. Remove one of the two lines.")
        table[key] = value.strip()
    return table


def _audio(path: Path) -> Path:
    """The file that wav.scp names, or a copy of it in another format."""
    for suffix in (path.suffix, *_SUFFIXES):
        if (copy := path.with_suffix(suffix)).exists():
            return copy
    raise UserError(f"{path}: no audio file, nor one with {', '.join(_SUFFIXES)}. Is the corpus whole?")


if __name__ == "__main__":
    main(Options, run, inputs=("corpus_dir",), output="out")
