"""Options of the language folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt

from understudy.lang.graphemes import GRAPHEMES
from understudy.step import UserError


@dataclass
class LangOptions:
    """Stage 2: the language."""

    lexicon: Path
    """lines of WORD PHONE PHONE ...; or graphemes: words of the labelled set, of --text and of --words are pronounced
    as they are spelled"""
    cuts: Path
    """manifest of the labelled set: the n-gram is estimated on its transcripts"""
    out: Path
    """the language folder"""
    extra_cuts: list[Path] = field(default_factory=list)
    """transcribed manifests whose words are checked too (development, test)"""
    words: Path | None = None
    """more words to spell: the first of each line, of a list or of a lexicon"""
    text: Path | None = None
    """more sentences for the n-gram, one on a line: text is easier to come by than transcribed speech. What is in it
    and in the transcripts counts once; words without pronunciation are guessed with --oov g2p, else they are unknown. A
    word such as <contact> is a place for words that users add"""
    arpa: Path | None = None
    """a given language model, packed by gzip or not, instead of an estimated one"""
    order: PositiveInt = 3
    """of the estimated n-gram"""
    english: float = 0.0
    """share of general English in the n-gram: for where there is little text"""
    oov: Literal["fail", "skip", "g2p"] = "fail"
    """labelled words without pronunciation: stop, leave out the cuts that contain them (they get no alignment, and the
    n-gram knows of an unknown word there), or guess pronunciations from the lexicon"""

    def __post_init__(self) -> None:
        """Raise UserError for what does not go together."""
        if self.words and self.lexicon_file is not None:
            raise UserError("--words: go with --lexicon graphemes; a lexicon has its words")
        if self.text and self.arpa:
            raise UserError("--text and --arpa: a given model is not estimated again; give one of them")
        if not 0 <= self.english < 1 or (self.english and self.arpa):
            raise UserError(f"--english {self.english}: a share from 0 to below 1, of a model that is estimated")

    @property
    def lexicon_file(self) -> Path | None:
        """None: words are spelled."""
        return None if str(self.lexicon) == GRAPHEMES else self.lexicon
