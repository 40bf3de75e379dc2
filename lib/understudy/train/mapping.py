"""A teacher of what a foreign model recognises: its classes are mapped to senones by counting, not by training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.corpus import read_cuts
from understudy.corpus.names import set_name
from understudy.features import Kind, Normaliser, kind_of, load_stacked, stacked_frames
from understudy.features.kind import LOG_PROBABILITIES
from understudy.lang.tree import Tree
from understudy.models.cooccurrence import CooccurrenceModel
from understudy.models.hearing import meta_of
from understudy.models.options import MapOptions, ModelOptions
from understudy.step import UserError, log


def map_posteriors(options: MapOptions, out: Path) -> None:
    """Count, and write the model folder.

    Raises:
        UserError: the features are no log-probabilities of classes, or cuts of several kinds.
    """
    cuts = list(read_cuts(options.labelled))
    kind = _kind(options.labelled, [kind_of(cut) for cut in cuts])
    tree = Tree.load(options.labels / "tree.json")
    normaliser = Normaliser.load(options.labelled.parent / "normaliser.json")
    aligned = AlignmentReader(options.labels / set_name(options.labelled))
    model = CooccurrenceModel(ModelOptions(1, 1, kind="cooccurrence"), kind.inputs, tree.num_senones)
    model.mean.copy_(torch.from_numpy(normaliser.mean))
    model.std.copy_(torch.from_numpy(normaliser.std))

    def speech() -> Iterator[tuple[Tensor, Tensor]]:
        for cut in cuts:
            labels = aligned.read(cut.id, stacked_frames(cut))[:, 0]
            yield torch.from_numpy(load_stacked(cut, normaliser)), torch.from_numpy(labels.astype("int64"))

    frames = model.count(speech(), options.smoothing)
    hours = sum(cut.duration for cut in cuts) / 3600
    model.meta = {
        "tree": tree.fingerprint, "labelled_hours": round(hours, 4), "unlabelled_hours": 0.0, "updates": 0,
        "teacher": None, **meta_of(kind),
    }  # fmt: skip
    models.save(model, out)
    log.info("%d classes to %d senones, by %d frames of %.2f h", kind.inputs, tree.num_senones, frames, hours)


def _kind(where: Path, kinds: list[Kind]) -> Kind:
    if not kinds:
        raise UserError(f"{where}: holds no cut.")
    for kind in kinds:
        if not kind.name.endswith(LOG_PROBABILITIES) or kind != kinds[0]:
            raise UserError(
                f"{where}: has features of {kind.name}, not of one kind of {LOG_PROBABILITIES}. Make them with "
                "steps/make_encoder_features.py --encoder.head ctc."
            )
    return kinds[0]
