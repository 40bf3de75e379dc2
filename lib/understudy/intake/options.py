"""What is asked of a corpus of somebody's own, whatever its layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from understudy.corpus.names import SETS
from understudy.intake.piece import Piece
from understudy.lang.graphemes import GRAPHEMES
from understudy.step import UserError

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class CutOptions:
    """How long recordings without transcripts are cut into utterances, where a detector finds speech; in seconds."""

    longest: float | None = 30.0
    """unlabelled recordings that are longer and have no transcript are cut, and no utterance is longer; null: never"""
    shortest: float = 0.5
    """stretches of speech that are shorter are left out"""
    pause: float = 0.5
    """without speech, from which on what follows is another utterance"""
    padding: float = 0.2
    """before and behind the speech of an utterance; between two, at most half of the pause"""
    overlap: float = 0.5
    """of the parts of a stretch of speech that is longer than an utterance may be"""
    threshold: float = 0.5
    """probability that the detector gives to where speech begins; it ends at 0.15 less"""

    def __post_init__(self) -> None:
        """Raise UserError for lengths that leave no utterance, and what is no probability."""
        if not 0 < self.threshold < 1:
            raise UserError(f"--cut.threshold {self.threshold:g}: must be a probability between 0 and 1.")
        if min(self.shortest, self.pause, self.padding, self.overlap) < 0:
            raise UserError("--cut.shortest, pause, padding and overlap: must be no less than 0 seconds.")
        if self.longest is not None and self.longest < 1 + 2 * max(self.shortest, self.overlap, self.padding):
            raise UserError(
                f"--cut.longest {self.longest:g}: must be at least a second longer than twice the shortest utterance, "
                "the overlap and the padding. Make it longer, or these shorter."
            )


@dataclass(kw_only=True)
class Corpus(ABC):
    """Options that corpora of all layouts share; a reader adds its own."""

    path: Path | None = None
    """what is shared out by speaker among the sets that have no path of their own"""
    labelled_path: Path | None = None
    """the set's own source, of the same layout as --path"""
    unlabelled_path: Path | None = None
    """likewise; transcripts that it has are not used"""
    dev_path: Path | None = None
    """likewise"""
    test_path: Path | None = None
    """likewise"""
    labelled: float | list[int | str] | str | None = None
    """of --path, speech whose transcripts are used: a share of its hours (0.25), or speakers (anna,boris; a number
    alone with a comma: 103,); by default, all that is left of the speakers who are transcribed"""
    unlabelled: float | list[int | str] | str | None = None
    """speech that a teacher listens to, likewise; by default, all that is left besides"""
    dev: float | list[int | str] | str = 0.1
    """speech that scales are tuned on, likewise"""
    test: float | list[int | str] | str = 0.1
    """speech that results are given for, likewise"""
    seed: int = 1
    """of the order in which speakers are shared out"""
    channel: int | None = None
    """the channel to hear, from 0, of audio with several"""
    cut: CutOptions = field(default_factory=CutOptions)
    """long recordings without transcripts"""
    case: Literal["lower", "upper", "keep"] = "lower"
    """of all words, by Unicode's rules, which know no language; Turkish and Azeri i want keep"""
    punctuation: Literal["remove", "keep"] = "remove"
    """of all but apostrophes within words; it parts words, as hyphens and dashes do"""
    lexicon: str = GRAPHEMES
    """a file with lines of WORD PHONE PHONE …; or graphemes: words are pronounced as they are spelled"""
    lexicon_words: Literal["training", "all"] = "training"
    """of a lexicon, the words that the recogniser knows: those of labelled speech and of --text, or all, for where it
    is the vocabulary of a task (a large one makes a far larger graph)"""
    text: Path | None = None
    """more sentences for the language model, one on a line"""
    bad: Literal["fail", "exclude"] = "fail"
    """what to do with a faulty utterance or file: fail, or exclude (each is named and counted)"""

    @abstractmethod
    def read(self, path: Path) -> Iterable[Piece]:
        """Pieces of one source, in a fixed order.

        Raises:
            UserError: it is not of this layout, or a line of it is not.
        """

    def read_all(self) -> dict[str, list[Piece]]:
        """Pieces of each source, by what `sources` calls it. Raises UserError as `read`."""
        return {name: list(self.read(path)) for name, path in self.sources().items()}

    def texts(self, path: Path) -> Iterable[Path]:
        """Files of a source that are read as text, where that is a folder: a word that is mended there makes another
        corpus, though all sizes are as before."""
        return ()

    def usual_paths(self) -> dict[str, Path]:
        """Sets that --path has sources of itself, as a public layout may; and of what is shared out, as "path"."""
        return {} if self.path is None else {"path": self.path}

    def sources(self) -> dict[str, Path]:
        """Of each set that has its own; of what is shared out, as "path".

        Raises:
            UserError: there is nothing to read, or a set that a recipe needs has no source.
        """
        own = {name: getattr(self, f"{name}_path") for name in SETS}
        found = self.usual_paths() | {name: path for name, path in own.items() if path is not None}
        if not found:
            raise UserError("nothing to read: give --path (to share out by speaker), or --labelled-path and so on.")
        if "path" not in found:
            for name in ("labelled", "dev", "test"):
                if name not in found:
                    raise UserError(f"no {name} speech: give --{name}-path, or --path for what is to be shared out.")
        return found

    def absolute(self) -> Self:
        """The same with absolute paths: a recipe runs in its own folder."""
        changed = {one.name: getattr(self, one.name) for one in fields(self)}
        for name, value in changed.items():
            if isinstance(value, Path):
                changed[name] = value.absolute()
        if self.lexicon != GRAPHEMES:
            changed["lexicon"] = str(Path(self.lexicon).absolute())
        return type(self)(**changed)
