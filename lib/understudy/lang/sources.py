"""The sources of a language folder: pronunciations, transcripts, and more sentences."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from lhotse import CutSet

from understudy.corpus import is_perturbed
from understudy.device.letters import spelled
from understudy.device.places import is_class
from understudy.lang.graphemes import spelled_entries
from understudy.lang.lexicon import Entry, read_entries
from understudy.lang.options import LangOptions
from understudy.step import UserError, decoded, few, log


def entries_of(options: LangOptions) -> list[Entry]:
    """Return the lexicon's entries, or make those of a grapheme lexicon from all given words.

    Raises:
        UserError: the lexicon cannot be read, or a word of transcripts or text cannot be spelled.
    """
    if options.lexicon_file is not None:
        return read_entries(options.lexicon_file)
    sources = f"{options.cuts}{f', {options.text}' if options.text else ''}"
    text = (" ".join(word for word in line.split() if not is_class(word)) for line in _lines(options.text))
    entries = spelled_entries([*transcripts_of(options.cuts), *text], sources)
    more = {word: spelled(word) for word in dict.fromkeys(line.split()[0] for line in _lines(options.words))}
    if strange := sorted(word for word, letters in more.items() if letters is None):
        log.warning("%s: %d words are not made of letters, and left out: %s", options.words, len(strange), few(strange))
    return [*entries, *((word, letters) for word, letters in more.items() if letters is not None)]


def sentences_of(path: Path | None, words: Container[str]) -> list[list[str]]:
    """Return the sentences of a text as words; [] without a text.

    Args:
        path: the text, one sentence on a line; None: there is none.
        words: the lexicon's words.

    Raises:
        UserError: the text is not UTF-8, or has none of these words.
    """
    if path is None:
        return []
    lines = [line.split() for line in _lines(path)]
    if not any(word in words for line in lines for word in line):
        raise UserError(f"{path}: it has no word of the lexicon. Is the case the same?")
    return lines


def _lines(path: Path | None) -> list[str]:
    """Return the non-empty lines of a text; [] without a text. Raises UserError where it is not UTF-8."""
    if path is None:
        return []
    return [line for line in decoded(path, path.read_bytes()).splitlines() if line.strip()]


def transcripts_of(path: Path) -> Iterator[str]:
    """Yield the transcripts of a manifest, without those of speed-perturbed copies.

    Raises:
        UserError: a cut has not exactly one transcript.
    """
    for cut in CutSet.from_jsonl_lazy(path):
        if is_perturbed(cut):
            continue
        if len(cut.supervisions) != 1 or cut.supervisions[0].text is None:
            raise UserError(f"{path}: cut {cut.id} needs one supervision with text. Run stage 0 again.")
        yield cut.supervisions[0].text
