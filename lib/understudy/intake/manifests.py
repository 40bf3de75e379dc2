"""Manifests of Lhotse: cuts, or recordings with the supervisions beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from understudy.intake.options import Corpus
from understudy.intake.piece import Piece


@dataclass(kw_only=True)
class Manifests(Corpus):
    """--from lhotse: a manifest of cuts, or of recordings.

    Beside one of recordings there is one of supervisions, called the same but for that word. Each supervision is an
    utterance; one without text is not transcribed.
    """

    root: Path = Path()
    """folder that relative paths and commands begin at; by default the working folder"""

    def read(self, path: Path) -> Iterator[Piece]:
        """Supervisions in the order of their cuts or recordings."""
        from understudy.intake.read_manifest import read_manifest  # Lhotse takes seconds, and --help is quick

        return read_manifest(self.root, path)
