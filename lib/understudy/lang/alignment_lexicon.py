"""Pronunciations for the alignment of transcripts, including words outside the recogniser's vocabulary."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lhotse import CutSet

from understudy.lang.g2p import MODEL, guess, train
from understudy.lang.lexicon import OOV, Lexicon, oov_counts, oov_message, read_entries
from understudy.step import log


def spoken_lexicon(lang: Path, manifests: Iterable[Path], oov: str | None = None) -> Lexicon:
    """Return a language folder's lexicon and, if it was made with --oov g2p, guessed pronunciations of all other words.

    Words and word ids stay those of the folder: guessed words can be aligned, but not recognised. So development
    speech gets labels, and the unlabelled speech of an experiment gets its true ones. Words that still have no
    pronunciation are left to the caller.

    Args:
        lang: the language folder.
        manifests: the manifests whose transcripts are to be aligned.
        oov: another --oov than that of the folder; None: the folder's.
    """
    lexicon = Lexicon.read(lang)
    counts: dict[str, int] = {}
    for manifest in manifests:
        texts = (cut.supervisions[0].text for cut in CutSet.from_jsonl_lazy(manifest))
        if unknown := oov_counts(lexicon, texts):
            log.warning("%s", oov_message(manifest, unknown).split("\n")[0])
            counts |= unknown
    if not counts or (oov or (lang / OOV).read_text().strip()) != "g2p":
        return lexicon
    guessed = _guess(lang, counts)
    log.info("guessed for alignment: %d of %d words", len(guessed), len(counts))
    spoken = {word: (tuple(lexicon.phone_ids[p] for p in phones),) for word, phones in guessed.items()}
    return replace(lexicon, pronunciations={**lexicon.pronunciations, **spoken})


def _guess(lang: Path, words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    if (model := lang / MODEL).exists():
        return guess(model, words)
    with tempfile.TemporaryDirectory() as folder:  # the folder has no model if no labelled word needed one
        train(read_entries(lang / "lexicon.txt"), Path(folder) / MODEL)
        return guess(Path(folder) / MODEL, words)
