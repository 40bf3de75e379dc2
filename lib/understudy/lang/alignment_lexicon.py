"""Pronunciations of transcripts to be aligned, also of words that the recogniser does not know."""

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
    """The lexicon of a language folder and, if that was made with --oov g2p, guesses for all else that was said.

    The words and their numbers stay those of the folder: what is guessed can be aligned, and not be recognised. So
    development speech gets its labels, and the unlabelled speech of an experiment its true ones. What stays without
    pronunciation is left to who aligns.

    Args:
        oov: another --oov than the folder was made with.
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
    with tempfile.TemporaryDirectory() as folder:  # no labelled word asked for one
        train(read_entries(lang / "lexicon.txt"), Path(folder) / MODEL)
        return guess(Path(folder) / MODEL, words)
