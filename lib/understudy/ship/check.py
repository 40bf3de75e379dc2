"""Comparison of an exported network with the model that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from understudy.device.network import Network
from understudy.models import AcousticModel


@dataclass(frozen=True)
class Likeness:
    """How alike a model and its exported network are, over all frames of some utterances."""

    frames: int
    largest: float
    """largest difference of a logit"""
    divergence: float
    """mean Kullback-Leibler divergence of the network's posteriors from the model's, nats"""
    agree: float
    """share of the frames whose best senone is the same"""


def compare(model: AcousticModel, network: Path, utterances: Iterable[Tensor]) -> Likeness:
    """Compare both over whole utterances (frames, inputs); the network gets them in the pieces of the run-time."""
    exported = Network(network)
    frames, largest, divergence, agree = 0, 0.0, 0.0, 0
    for features in utterances:
        (ours,) = model.logits([features])
        stream = exported.utterance()
        theirs = torch.from_numpy(np.concatenate([stream(features.numpy()), stream.finish()]))
        p, q = ours.log_softmax(1), theirs.log_softmax(1)
        frames += len(ours)
        largest = max(largest, float((ours - theirs).abs().max()))
        divergence += float((p.exp() * (p - q)).sum())
        agree += int((ours.argmax(1) == theirs.argmax(1)).sum())
    return Likeness(frames, largest, divergence / frames, agree / frames)
