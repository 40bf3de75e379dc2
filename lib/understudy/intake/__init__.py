"""A corpus of somebody's own becomes one of a recipe's, by options and without code: a reader for each layout."""

from understudy.intake.folder import Folder
from understudy.intake.kaldi import KaldiData
from understudy.intake.manifests import Manifests
from understudy.intake.options import Corpus
from understudy.intake.prepared import Prepared
from understudy.intake.table import Table

LAYOUTS: dict[str, type[Corpus]] = {"kaldi": KaldiData, "table": Table, "folder": Folder, "lhotse": Manifests}
"""Readers by what `--from` calls them; `layout` has those of the corpora that Lhotse prepares besides"""
_PREPARED = "lhotse:"


def layout(name: str) -> type[Corpus]:
    """The reader that `--from` names. Raises KeyError where there is none of this name."""
    if name.startswith(_PREPARED) and name != _PREPARED:
        return Prepared.of(name.removeprefix(_PREPARED))
    return LAYOUTS[name]


__all__ = ["LAYOUTS", "Corpus", "Folder", "KaldiData", "Manifests", "Prepared", "Table", "layout"]
