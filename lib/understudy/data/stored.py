"""Stored frames of the cuts of a manifest, as trainings read them: again and again, in any order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lhotse import CutSet
from lhotse.cut import Cut
from lhotse.utils import fastcopy

from understudy.corpus.build import COPY_OF, is_perturbed, original_id
from understudy.features import Kind, kind_of, load_frames
from understudy.step import UserError


def cuts_with_features(manifest: Path) -> list[Cut]:
    """Cuts with their features and nothing else: 1.1 kB each instead of 7 where they carry phone times.

    Raises:
        UserError: it is no manifest, or a cut has no features.
    """
    try:
        cuts = [_bare(cut) for cut in CutSet.from_jsonl_lazy(manifest)]
    except Exception as error:  # of gzip, JSON and Lhotse: each means that it is no manifest
        raise UserError(f"{manifest}: not a manifest of cuts ({error})") from error
    if bare := next((cut for cut in cuts if not cut.has_features), None):
        raise UserError(
            f"{manifest}: cut {bare.id} has no features. Name the manifest that steps/make_features.py made."
        )
    return cuts


def kind_of_all(cuts: list[Cut], where: str) -> Kind:
    """What the features of cuts are.

    Args:
        where: they come from, for errors.

    Raises:
        UserError: those of one cut are others than those of the first; both are named.
    """
    kind = kind_of(cuts[0])
    if other := next((cut for cut in cuts if kind_of(cut) != kind), None):
        raise UserError(
            f"{where}: cut {other.id} has features of {kind_of(other).name}, and cut {cuts[0].id} of {kind.name}. "
            "Learn from features of one kind."
        )
    return kind


def _bare(cut: Cut) -> Cut:
    """Of a cut its features, and what it is a copy of."""
    return fastcopy(
        cut, supervisions=[], recording=None, custom={COPY_OF: original_id(cut)} if is_perturbed(cut) else None
    )


class StoredFrames:
    """Frames of cuts by their numbers, (stored frames, channels) float32, not normalised; kept while there is room."""

    def __init__(self, cuts: list[Cut], cache_mb: int) -> None:
        """Take cuts with features.

        Args:
            cache_mb: frames kept in memory; what is beyond is read from disk each time.
        """
        self._cuts, self._left = cuts, cache_mb * 2**20
        self._kept: dict[int, np.ndarray] = {}

    def __call__(self, number: int) -> np.ndarray:
        """Of the cut with this number."""
        if number in self._kept:
            return self._kept[number]
        values = load_frames(self._cuts[number])
        if self._left > values.nbytes:
            self._kept[number] = values
            self._left -= values.nbytes
        return values
