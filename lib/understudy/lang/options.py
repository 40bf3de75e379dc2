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
    """The language folder, stage 2."""

    lexicon: Path
    """file with lines of WORD PHONE PHONE ...; or graphemes: the letters of the words of the labelled set, --text and
    --words are their phones"""
    cuts: Path
    """manifest of the labelled set: the n-gram is estimated on its transcripts"""
    out: Path
    """the language folder"""
    extra_cuts: list[Path] = field(default_factory=list)
    """transcribed manifests whose words are checked too (development, test)"""
    words: Path | None = None
    """more words for a grapheme lexicon: the first word of each line of a list or a lexicon"""
    text: Path | None = None
    """more sentences for the n-gram, one on a line. Sentences that are in the transcripts too count once; words without
    pronunciation get a guessed one with --oov g2p, else they are unknown. A word such as <contact> is a place for
    words that users add"""
    arpa: Path | None = None
    """a given language model, gzipped or not, instead of an estimated one"""
    order: PositiveInt = 3
    """order of the estimated n-gram"""
    english: float = 0.0
    """weight of general English in the n-gram, for when there is little text"""
    oov: Literal["fail", "skip", "g2p"] = "fail"
    """what to do with labelled words without pronunciation: fail, skip the cuts that contain them (they get no
    alignment, and the n-gram has an unknown word there), or guess pronunciations from the lexicon (g2p)"""

    def __post_init__(self) -> None:
        """Raise UserError for options that do not go together."""
        if self.words and self.lexicon_file is not None:
            raise UserError("--words: go with --lexicon graphemes; a lexicon has its words")
        if self.text and self.arpa:
            raise UserError("--text and --arpa: a given model is not estimated again; give one of them")
        if not 0 <= self.english < 1 or (self.english and self.arpa):
            raise UserError(f"--english {self.english}: a share from 0 to below 1, of a model that is estimated")

    @property
    def lexicon_file(self) -> Path | None:
        """The lexicon's path; None: a grapheme lexicon is wanted."""
        return None if str(self.lexicon) == GRAPHEMES else self.lexicon
