"""A corpus that Lhotse has a preparation for: its splits are a recipe's sets."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from understudy.corpus.audio import SUFFIXES
from understudy.intake.options import Corpus
from understudy.intake.piece import Piece
from understudy.step import UserError, counted, log

if TYPE_CHECKING:
    from typing_extensions import Self

Place = Literal["labelled", "unlabelled", "dev", "test", "path", "none"]
_USUAL: tuple[tuple[re.Pattern[str], Place], ...] = (
    (re.compile("test|eval"), "test"),
    (re.compile("dev|valid"), "dev"),
)
"""What is in the names of splits that are sets of their own"""


@dataclass(kw_only=True)
class Prepared(Corpus):
    """--from lhotse:CORPUS: a corpus that Lhotse prepares (lhotse.recipes.prepare_CORPUS), such as lhotse:aishell.

    --path is its folder. Splits whose names have dev or valid in them, or test or eval, are these sets; the others are
    shared out by speaker.
    """

    corpus: ClassVar[str] = ""
    """what Lhotse calls it"""
    option: dict[str, Any] = field(default_factory=dict)
    """of the preparation: {dataset_parts: mini_librispeech, num_jobs: 4}; --path is its first folder"""
    splits: dict[str, Place] = field(default_factory=dict)
    """the sets of splits whose names do not tell: {train-clean-5: labelled, extra: unlabelled, train: path}; path: it
    is shared out; none: it is left out"""
    one_speaker_each: bool = False
    """where no speakers are told: each recording is of another one"""

    @classmethod
    def of(cls, corpus: str) -> type[Prepared]:
        """The layout of one corpus."""
        return type(cls.__name__, (cls,), {"corpus": corpus, "__doc__": cls.__doc__})

    def read(self, path: Path) -> Iterator[Piece]:
        """All splits, by their names; recordings by theirs."""
        for pieces in self._splits(path).values():
            yield from pieces

    def read_all(self) -> dict[str, list[Piece]]:
        """Those of --path by the sets that its splits are."""
        found = {name: list(self.read(path)) for name, path in self.sources().items() if name != "path"}
        if self.path is None:
            return found
        parts: defaultdict[str, list[Piece]] = defaultdict(list)
        splits = self._splits(self.path)
        if strange := self.splits.keys() - splits.keys():
            raise UserError(
                f"--splits {sorted(strange)[0]}: {self.path} has no such split; there are {', '.join(splits)}."
            )
        for split, pieces in splits.items():
            place = self.splits.get(split) or _place(split)
            told = {"path": "shared out by speaker", "none": "left out, as --splits says"}.get(place, place)
            log.info("%s, %s: %s: %s", self.corpus, split or "all", counted(len(pieces), "utterance"), told)
            if place in found:
                raise UserError(
                    f"--{place}-path and the split {split} of --path are both {place}: leave the first out, or say "
                    f"--splits '{{{split}: none}}'."
                )
            if place != "none":
                parts[place] += pieces
        return found | dict(parts)

    def texts(self, path: Path) -> Iterable[Path]:
        """All that is no audio: below --path, and below folders that the preparation is told of."""
        more = [Path(value) for value in self.option.values() if isinstance(value, str)]
        for folder in (path, *more):
            if folder.is_dir():
                yield from (one for one in folder.rglob("*") if one.is_file() and one.suffix.lower() not in SUFFIXES)

    def absolute(self) -> Self:
        """The same; texts of `option` that are paths from here are absolute too."""
        made = super().absolute()
        made.option = {
            name: str(Path(value).absolute()) if isinstance(value, str) and value and Path(value).exists() else value
            for name, value in self.option.items()
        }
        return made

    def _splits(self, path: Path) -> dict[str, list[Piece]]:
        from understudy.intake.read_prepared import read_prepared  # Lhotse takes seconds, and --help is quick

        return read_prepared(self.corpus, path, self.option, self.one_speaker_each)


def _place(split: str) -> Place:
    last = split.lower().rsplit("/", 1)[-1]
    return next((place for pattern, place in _USUAL if pattern.search(last)), "path")
