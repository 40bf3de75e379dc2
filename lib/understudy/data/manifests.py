"""Speech of manifests of cuts with features, all known at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from understudy.align.archive import AlignmentReader
from understudy.corpus import is_perturbed
from understudy.corpus.names import set_name
from understudy.data.batches import Span, batches_of, spans_of
from understudy.data.speech import LoadedCut, Speech
from understudy.data.stored import StoredFrames, cuts_with_features, kind_of_all
from understudy.features import Normaliser, stacked_frames
from understudy.step import UserError, log
from understudy.targets import TargetReader


class ManifestSpeech(Speech):
    """Cuts of manifests, all known at once."""

    def __init__(
        self, manifests: list[Path], normaliser: Normaliser, labels: AlignmentReader | None = None,
        targets: TargetReader | None = None, cache_mb: int = 1500,
    ) -> None:  # fmt: skip
        """Index the cuts; those without labels, or targets where the set has no labels, are left out, counted and said.

        Args:
            targets: of cuts of the set, not of all of them where it has labels.
            cache_mb: see `StoredFrames`.

        Raises:
            UserError: no cut has labels or targets, or a cut's targets are of another length.
        """
        self.normaliser, self.labels, self.targets = normaliser, labels, targets
        self.described = targets.describe if targets is not None else None
        everything = [cut for manifest in manifests for cut in cuts_with_features(manifest)]
        what, stage = ("labels", 3) if labels is not None else ("targets", 6)
        known = labels if labels is not None else targets
        if known is None:
            raise ValueError("neither labels nor targets: there is nothing to learn from")
        self.cuts = [c for c in everything if c.id in known and stacked_frames(c) > 0]
        self._frames = StoredFrames(self.cuts, cache_mb)
        names = ", ".join(str(m) for m in manifests)
        if missing := len(everything) - len(self.cuts):
            log.warning("%s: %d of %d cuts have no %s and are left out", names, missing, len(everything), what)
        if not self.cuts:
            raise UserError(f"{names}: no cut has {what}. Was stage {stage} run on these manifests?")
        self.kind = kind_of_all(self.cuts, names)
        if targets is not None:  # now, not hours later
            targets.check(self.cuts)
        # A cut that comes twice is heard in two ways (steps/augment.py).
        self.original_seconds = sum({c.id: c.duration for c in self.cuts if not is_perturbed(c)}.values())

    @classmethod
    def labelled(cls, manifest: Path, labels: Path, targets: TargetReader | None = None) -> ManifestSpeech:
        """A manifest with the senone labels that a stage wrote for it (`labels`/<name of the manifest>)."""
        normaliser = Normaliser.load(manifest.parent / "normaliser.json")
        return cls([manifest], normaliser, AlignmentReader(labels / set_name(manifest)), targets)

    def order(
        self, max_frames: int, seed: int | None, part: int = 0, parts: int = 1, chunk: int = 0
    ) -> list[list[Span]]:
        """See `Speech`; a part is every `parts`-th cut."""
        rng, numbers = np.random.default_rng(seed), range(part, len(self.cuts), parts)
        spans = spans_of(((n, stacked_frames(self.cuts[n])) for n in numbers), chunk, rng)
        return batches_of(spans, max_frames, rng, seed is not None)

    def utterance(self, number: int) -> LoadedCut:
        """See `Speech`."""
        cut, frames, labels, targets = self.cuts[number], self._frames(number), None, None
        if self.labels is not None and cut.id in self.labels:
            labels = self.labels.read(cut.id, stacked_frames(cut))[:, 0]
        if self.targets is not None and cut.id in self.targets:
            targets = self.targets
        return LoadedCut(cut.id, frames, labels, targets)

    def another(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """See `Speech`."""
        return self._frames(int(rng.integers(len(self.cuts))))

    def labels_of_all(self) -> Iterator[np.ndarray]:
        """See `Speech`."""
        if self.labels is None:
            raise ValueError("this speech has no labels")
        read = self.labels.read
        return (read(cut.id, stacked_frames(cut))[:, 0] for cut in self.cuts)

    def any_soft_targets(self) -> bool:
        """See `Speech`."""
        return self.targets is not None and any(cut.id in self.targets for cut in self.cuts)
