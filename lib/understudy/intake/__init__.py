"""A corpus of somebody's own becomes one of a recipe's, by options and without code: a reader for each layout."""

from understudy.intake.folder import Folder
from understudy.intake.kaldi import KaldiData
from understudy.intake.manifests import Manifests
from understudy.intake.options import Corpus
from understudy.intake.table import Table

LAYOUTS: dict[str, type[Corpus]] = {"kaldi": KaldiData, "table": Table, "folder": Folder, "lhotse": Manifests}
"""Readers by what `--from` calls them"""

__all__ = ["LAYOUTS", "Corpus", "Folder", "KaldiData", "Manifests", "Table"]
