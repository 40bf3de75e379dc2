"""What soft targets tell of an utterance, without decoding: how sure its teacher is, and how much of it is silence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Measures(NamedTuple):
    """Of one utterance. Means are over its frames of speech, or over all where its teacher hears none."""

    frames: int
    entropy: float
    """nats a frame, of the senones kept and of all others as one outcome: no more than the teacher's own entropy"""
    top: float
    """probability of the likeliest senone"""
    silence: float
    """share of frames whose likeliest senone is silence"""
    disagreement: float | None = None
    """Jensen–Shannon divergence of two teachers, nats a frame, 0 to log 2"""


Kept = tuple[np.ndarray, np.ndarray]
"""Senones (frames, k) and log-posteriors (frames, k), as `TargetReader.read` gives them"""


def likeliest(kept: Kept) -> np.ndarray:
    """(frames,) the senone that is."""
    senones, log_posteriors = kept
    return senones[np.arange(len(senones)), log_posteriors.argmax(1)]


def measure(kept: Kept, silence: np.ndarray, senones: int, other: Kept | None = None) -> Measures:
    """Measure an utterance.

    Args:
        kept: its soft targets, of one frame at least.
        silence: senones of the silence phone.
        senones: of the tree.
        other: those of another teacher.
    """
    silent = np.isin(likeliest(kept), silence)
    of = ~silent if not silent.all() else silent
    entropies, top = entropy(_outcomes(kept[1])), np.exp(kept[1].max(1))
    apart = None if other is None else float(_divergence(kept, other, senones)[of].mean())
    return Measures(len(of), float(entropies[of].mean()), float(top[of].mean()), float(silent.mean()), apart)


def entropy(p: np.ndarray) -> np.ndarray:
    """(…,) nats, of distributions (…, outcomes)."""
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)


def _outcomes(log_posteriors: np.ndarray) -> np.ndarray:
    """(frames, k + 1): the last is all that was not kept. Stored levels may come to a little more than 1."""
    p = np.exp(log_posteriors.astype(np.float64))
    p = np.concatenate([p, np.maximum(1 - p.sum(1, keepdims=True), 0)], 1)
    return p / p.sum(1, keepdims=True)


def _divergence(one: Kept, other: Kept, senones: int) -> np.ndarray:
    """(frames,) Jensen–Shannon divergence; what one teacher did not keep has no probability but among its others."""
    p, q = (_dense(kept, senones) for kept in (one, other))
    return entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2


def _dense(kept: Kept, senones: int) -> np.ndarray:
    """(frames, senones + 1): the last is all that was not kept."""
    outcomes, dense = _outcomes(kept[1]), np.zeros((len(kept[1]), senones + 1))
    # Added, as senone 0 stands where fewer than k were kept.
    np.add.at(dense, (np.arange(len(dense))[:, None], kept[0]), outcomes[:, :-1])
    dense[:, -1] = outcomes[:, -1]
    return dense
