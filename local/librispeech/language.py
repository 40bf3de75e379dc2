"""LibriSpeech's lexicon and its small trigram: from a folder that the user has, or fetched."""

from __future__ import annotations

from pathlib import Path

from understudy.corpus.download import Archive, download
from understudy.step import UserError

_URL = "https://www.openslr.org/resources/11"
LEXICON = Archive(f"{_URL}/librispeech-lexicon.txt", folder="", min_bytes=5_000_000)
ARPA = Archive(f"{_URL}/3-gram.pruned.3e-7.arpa.gz", folder="", min_bytes=10_000_000)


def language_file(what: Archive, lm_dir: Path | None, download_dir: Path | None) -> Path:
    """The lexicon or the language model. Raises UserError: it is not in --lm-dir, or cannot be fetched."""
    if lm_dir is not None:
        if not (lm_dir / what.name).exists():
            raise UserError(f"{lm_dir}: no {what.name} in it. Fetch {what.url}, or leave --lm-dir out.")
        return lm_dir / what.name
    if download_dir is None:
        raise UserError(f"Give --lm-dir (a folder with {what.name}), or --download-dir to fetch {what.url}.")
    return download(what, download_dir)


def link_arpa(path: Path, out: Path) -> None:
    """Make the language model known to the next stages, as `lm.arpa.gz` beside the manifests."""
    link = out / "lm.arpa.gz"
    link.unlink(missing_ok=True)
    link.symlink_to(path.resolve())
