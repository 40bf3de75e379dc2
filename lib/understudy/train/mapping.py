"""A teacher made from a foreign model's classes, which co-occurrence counts map to senones, without training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from understudy import models
from understudy.data.manifests import ManifestSpeech
from understudy.features.kind import LOG_PROBABILITIES
from understudy.lang.tree import Tree
from understudy.models.cooccurrence import CooccurrenceModel
from understudy.models.hearing import meta_of
from understudy.models.options import MapOptions, ModelOptions
from understudy.step import UserError, log


def map_posteriors(options: MapOptions, out: Path) -> None:
    """Count classes with senones, and write the model folder.

    Raises:
        UserError: the features are not log-probabilities of classes, or are of several kinds.
    """
    tree, speech = Tree.load(options.labels / "tree.json"), ManifestSpeech.labelled(options.labelled, options.labels)
    kind, normaliser = speech.kind, speech.normaliser
    if not kind.name.endswith(LOG_PROBABILITIES):
        raise UserError(
            f"{options.labelled}: has features of {kind.name}, not of one kind of {LOG_PROBABILITIES}. Make them with "
            "steps/make_encoder_features.py --encoder.head ctc."
        )
    model = CooccurrenceModel(ModelOptions(1, 1, kind="cooccurrence"), kind.inputs, tree.num_senones)
    model.mean.copy_(torch.from_numpy(normaliser.mean))
    model.std.copy_(torch.from_numpy(normaliser.std))
    frames = model.count(_heard(speech), options.smoothing)
    hours = speech.original_seconds / 3600
    model.meta = {
        "tree": tree.fingerprint, "labelled_hours": hours, "unlabelled_hours": 0.0, "updates": 0, "teacher": None,
        **meta_of(kind),
    }  # fmt: skip
    models.save(model, out)
    log.info("%d classes to %d senones, by %d frames of %.2f h", kind.inputs, tree.num_senones, frames, hours)


def _heard(speech: ManifestSpeech) -> Iterator[tuple[Tensor, Tensor]]:
    for number, labels in enumerate(speech.labels_of_all()):
        features = speech.normaliser(speech.utterance(number).frames)
        yield torch.from_numpy(features), torch.from_numpy(labels.astype("int64"))
