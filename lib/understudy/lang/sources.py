"""What a language folder is made of: words with their pronunciations, transcripts, and more sentences."""

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
    """Of the lexicon, or of all words that are known. Raises UserError where one cannot be spelled."""
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
    """The sentences of a text, none where there is none.

    Raises:
        UserError: it is not UTF-8, or has none of these words.
    """
    if path is None:
        return []
    lines = [line.split() for line in _lines(path)]
    if not any(word in words for line in lines for word in line):
        raise UserError(f"{path}: it has no word of the lexicon. Is the case the same?")
    return lines


def _lines(path: Path | None) -> list[str]:
    """Of a text, those that are not empty; none where there is none. Raises UserError where it is not UTF-8."""
    if path is None:
        return []
    return [line for line in decoded(path, path.read_bytes()).splitlines() if line.strip()]


def transcripts_of(path: Path) -> Iterator[str]:
    """Transcripts; copies at other speeds say nothing new.

    Raises:
        UserError: a cut without exactly one transcript.
    """
    for cut in CutSet.from_jsonl_lazy(path):
        if is_perturbed(cut):
            continue
        if len(cut.supervisions) != 1 or cut.supervisions[0].text is None:
            raise UserError(f"{path}: cut {cut.id} needs one supervision with text. Run stage 0 again.")
        yield cut.supervisions[0].text
