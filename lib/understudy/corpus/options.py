"""Options of the validation of a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.corpus.names import check_names
from understudy.step.errors import UserError


@dataclass
class ValidationOptions:
    """What is validated, and how."""

    cuts: list[Path]
    """Manifests of the sets (labelled, unlabelled, dev, test); no speaker may be in two of them."""
    out: Path
    """Folder for report.json, corpus.html and, with --bad exclude, the manifests of the sound utterances."""
    bad: str = "fail"
    """What to do with a faulty utterance: fail, or exclude (each is named and counted)."""
    lexicon: Path | None = None
    """Words that are not in it are told as unknown, on the page."""
    check_audio: bool = True
    """Read every audio file, not the manifests alone, and tell levels of sets and speakers."""

    def __post_init__(self) -> None:
        """Raise UserError where there is no set, or two have one name."""
        if not self.cuts:
            raise UserError("--cuts []: no set to validate. Stage 0 makes some; give their manifests.")
        check_names(self.cuts)
