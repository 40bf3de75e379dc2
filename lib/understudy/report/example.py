"""One utterance as the models of a recipe hear it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from lhotse.augmentation.resample import resample
from lhotse.cut import Cut

from understudy import models
from understudy.decode.word_times import spans
from understudy.features import STACKED_SHIFT, Normaliser, load_logmel, load_stacked
from understudy.features.frames import SAMPLE_RATE
from understudy.features.kind import LOGMELS
from understudy.lang.lexicon import Lexicon
from understudy.lang.tree import Tree
from understudy.report.gather import Aligned
from understudy.step import UserError

_SHOWN = 40  # senones
_LIKELY = 0.25  # a senone is shown where a model finds it so likely in some frame


@dataclass(frozen=True)
class Example:
    """What there is to see and hear."""

    id: str
    seconds: float
    logmel: np.ndarray
    """(10 ms frames, mels)"""
    posteriors: dict[str, np.ndarray]
    """(30 ms frames, senones) of each model"""
    senones: list[int]
    """to be shown, in the order in which they are heard"""
    labels: list[str]
    """phone and state of each of these"""
    words: list[tuple[str, float, float]]
    """of the transcript, with start and end in seconds, as the first model aligns them"""
    audio: str | None
    """address of a sound that needs no file; None where the audio is not there"""


def choose(before: list[Aligned], after: list[Aligned], seconds: Mapping[str, float]) -> str | None:
    """The utterance in which most errors of the one system are none of the other.

    Of 1.5 to 6 s, of which there is something to be seen on a page; where there is none, the longest of those that are
    shorter, and else the shortest (our choice).
    """
    later = {one.score.id: one.score.errors for one in after}
    both = {one.score.id: one.score.errors for one in before if one.score.id in later and one.score.id in seconds}
    fit = [name for name in both if 1.5 <= seconds[name] <= 6.0]
    if not fit and both:
        short = [seconds[name] for name in both if seconds[name] < 1.5]
        fit = [name for name in both if seconds[name] == (max(short) if short else min(seconds[one] for one in both))]
    return min((later[name] - both[name], name) for name in fit)[1] if fit else None


def hear(cut: Cut, folders: Mapping[str, Path], lexicon: Lexicon, tree: Tree, normaliser: Normaliser) -> Example:
    """Let the models in these folders, by the names that are shown, hear a cut with features."""
    stacked = torch.from_numpy(load_stacked(cut, normaliser))
    logits, priors = {}, {}
    for name, folder in folders.items():
        model = models.load_any(folder)
        # Else it is of another tree, its senones are others; or it hears through an encoder, which is not at hand.
        if model.senones == tree.num_senones and models.hears(model) == LOGMELS.name:
            logits[name], priors[name] = model.logits([stacked])[0].log_softmax(1), model.log_priors
    if not logits:
        raise UserError(f"none of the models {', '.join(map(str, folders.values()))} is of this tree")
    posteriors = {name: of.exp().numpy() for name, of in logits.items()}
    shown = _shown(np.max(list(posteriors.values()), axis=0))
    states = tree.states()
    text = [word for word in cut.supervisions[0].text.split() if word in lexicon]
    first = next(iter(logits))
    times = spans(text, logits[first] - priors[first], lexicon, tree)
    return Example(
        cut.id, len(stacked) * STACKED_SHIFT, load_logmel(cut), posteriors, shown,
        [f"{lexicon.phones[states[s][0]]} {states[s][1] + 1}" for s in shown],
        [(word, *span) for word, span in zip(text, times, strict=True)], _sound(cut),
    )  # fmt: skip


def _shown(likely: np.ndarray) -> list[int]:
    """The senones that are likeliest in some frame, by when that is; likely is (frames, senones)."""
    peaks = likely.max(0)
    best = [s for s in np.argsort(-peaks, kind="stable")[:_SHOWN].tolist() if peaks[s] >= _LIKELY]
    return sorted(best, key=lambda s: (int(likely[:, s].argmax()), s))


def _sound(cut: Cut) -> str | None:
    if not cut.has_recording:
        return None
    try:
        samples = resample(torch.from_numpy(cut.load_audio()[0]), cut.sampling_rate, SAMPLE_RATE).numpy()
    except Exception:  # whatever the reason, the page goes without
        return None
    out = io.BytesIO()
    soundfile.write(out, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(out.getvalue()).decode()
