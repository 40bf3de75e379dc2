#!/usr/bin/env python3
"""Prepare LibriSpeech (960 h of training speech from audio books, 16 kHz) for a recipe; optionally with Libri-Light.

Labelled hours are taken from train-clean-100, then train-clean-360, then train-other-500; what is left of these is
unlabelled, and so is all of Libri-Light. Test sets are test-clean and test-other.

e.g.: local/prepare.py --corpus-dir /corpora/LibriSpeech --labelled-hours 100 --out data/corpus
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import librilight
import soundfile
from dictionary import pronunciations
from language import ARPA, LEXICON, language_file, link_arpa
from parts import read_part

from understudy.corpus.build import Utterance, join_manifests, write_cuts, write_sets
from understudy.corpus.download import Archive, fetched
from understudy.corpus.split import set_of_speakers
from understudy.lang.lexicon import say_oov, write_entries
from understudy.step import Step, UserError, log, main

TRAIN = ("train-clean-100", "train-clean-360", "train-other-500")
DEV = ("dev-clean", "dev-other")
TEST = ("test-clean", "test-other")
_URL = "https://www.openslr.org/resources"
_MEGABYTES = {
    "train-clean-100": 6300, "train-clean-360": 23000, "train-other-500": 30000,
    "dev-clean": 330, "dev-other": 310, "test-clean": 340, "test-other": 320,
}  # fmt: skip
# Its publisher's, https://www.openslr.org/resources/12/md5sum.txt
_MD5 = {
    "train-clean-100": "2a93770f6d5c6c964bc36631d331a522", "train-clean-360": "c0e676e450a7ff2f54aeade5171606fa",
    "train-other-500": "d1a0fd59409feb2c614ce4d30c387708", "dev-clean": "42e2234ba48799c1f50f24a7926300a1",
    "dev-other": "c8d0bcc9cca99d4f8b62fcc847357931", "test-clean": "32fa31d27d2e1cad72775fee3f4849a9",
    "test-other": "fb5a50374b501bb3bac4815ee91d3135",
}  # fmt: skip


@dataclass
class Options:
    """Options of the preparation."""

    out: Path
    """Folder of the manifests and lexicon.txt; the language model is linked as lm.arpa.gz."""
    corpus_dir: Path | None = None
    """The unpacked corpus: the folder that holds train-clean-100/ and so on, or LibriSpeech/ with them."""
    lm_dir: Path | None = None
    """Folder of librispeech-lexicon.txt and 3-gram.pruned.3e-7.arpa.gz."""
    download_dir: Path | None = None
    """Where to fetch what is not given."""
    libri_light: Path | None = None
    """Folder of Libri-Light's small/, medium/ or large/, as far as they are to be listened to."""
    labelled_hours: float = 100.0
    """Hours whose transcripts are used, by whole speakers; fewer lie in more of the same seed."""
    seed: int = 1
    """Seed of the order of speakers within a part."""


def run(options: Options, step: Step) -> None:
    """Write the manifests, the lexicon, and where the language model is."""
    corpus = _corpus(options)
    train = {part: [_measured(u) for u in read_part(corpus / part)] for part in TRAIN if (corpus / part).is_dir()}
    held_out = {part: read_part(corpus / part) for part in (*DEV, *TEST)}
    labelled = choose(train, options.labelled_hours, options.seed)
    everyone = {u.speaker for utterances in train.values() for u in utterances}
    sets = {"labelled": sorted(labelled), "unlabelled": sorted(everyone - labelled)}
    sets["dev"] = sorted({u.speaker for part in DEV for u in held_out[part]})
    sets |= {part: sorted({u.speaker for u in held_out[part]}) for part in TEST}
    utterances = [u for part in (*train.values(), *held_out.values()) for u in part]
    written = write_sets(options.out, utterances, set_of_speakers(sets))
    if options.libri_light is not None:
        _add_libri_light(options.out, options.libri_light)
    entries = pronunciations(language_file(LEXICON, options.lm_dir, options.download_dir))
    known = {word for word, _ in entries}
    for name, chosen in written.items():
        if name != "unlabelled":
            say_oov(name, known, (u.text.upper() for u in chosen))
    write_entries(entries, options.out / "lexicon.txt")
    link_arpa(language_file(ARPA, options.lm_dir, options.download_dir), options.out)


def choose(train: dict[str, list[Utterance]], hours: float, seed: int) -> set[str]:
    """Labelled speakers: part after part, in an order drawn by their names and the seed, until there are `hours`.

    Raises:
        UserError: there is less speech.
    """
    chosen, left = set(), hours * 3600
    for part in train.values():
        seconds: dict[str, float] = defaultdict(float)
        for utterance in part:
            seconds[utterance.speaker] += utterance.num_samples / utterance.sample_rate
        for speaker in sorted(seconds, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest()):
            if left > 0:
                chosen.add(speaker)
                left -= seconds[speaker]
    # A part is as long as its name says within a hundredth: asked for by name, it is whole.
    if hours <= 0 or left > 0.01 * hours * 3600:
        raise UserError(f"--labelled-hours {hours}: there are {hours - left / 3600:.2f} in {', '.join(train)}")
    log.info("labelled: %d speakers, %.2f h", len(chosen), hours - left / 3600)
    return chosen


def _measured(utterance: Utterance) -> Utterance:
    """With its length, so that the file is opened once."""
    try:
        info = soundfile.info(utterance.audio)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{utterance.audio}: cannot be read as audio ({error}). Fetch it again.") from None
    return replace(utterance, num_samples=info.frames, sample_rate=info.samplerate)


def _add_libri_light(out: Path, folder: Path) -> None:
    """Join its cuts to the unlabelled ones."""
    manifest, more = out / "unlabelled.jsonl.gz", out / "libri-light.jsonl.gz"
    log.info("Libri-Light: %d cuts", write_cuts(more, librilight.cuts(folder)))
    join_manifests(manifest, [path for path in (manifest, more) if path.exists()])
    more.unlink()


def _corpus(options: Options) -> Path:
    if options.corpus_dir is None and options.download_dir is None:
        raise UserError("Give --corpus-dir (an unpacked LibriSpeech), or --download-dir to fetch it (61 GB).")
    if options.corpus_dir is None:
        for archive in _archives():
            folder = fetched(archive, options.download_dir)
        return folder.parent
    inner = options.corpus_dir / "LibriSpeech"
    folder = inner if inner.is_dir() else options.corpus_dir
    for part in (TRAIN[0], *DEV, *TEST):
        if not (folder / part).is_dir():
            raise UserError(
                f"{folder}: no {part}/ in it. Give the folder that holds {', '.join((*TRAIN, *DEV, *TEST))}."
            )
    return folder


def _archives() -> Iterator[Archive]:
    for part, megabytes in _MEGABYTES.items():
        digest = f"md5:{_MD5[part]}"
        yield Archive(f"{_URL}/12/{part}.tar.gz", f"LibriSpeech/{part}", int(0.9e6 * megabytes), digest)


if __name__ == "__main__":
    main(Options, run, inputs=("corpus_dir", "lm_dir", "libri_light"), output="out")
