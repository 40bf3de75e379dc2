"""Diagonal Gaussian mixtures for all states at once, in torch."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from understudy.step import atomic_path

_TENSORS = ("floor", "log_weights", "means", "variances")
_UNDERFLOW = -80.0
_UNUSED = -1e8  # log-weight of a component that is not in use, finite so that sums stay numbers
CELLS = 2**24
"""frames × Gaussians whose likelihoods are in memory at once: 67 MB, a few times"""
_FLOOR_SHARE = 0.01  # of the global variance, as Kaldi's min-variance keeps single frames from winning


class GaussianMixtures:
    """Mixtures of every HMM state, padded to the same number of components.

    Attributes:
        log_weights: (states, components); -inf marks an unused component.
        means: (states, components, dims).
        variances: (states, components, dims).
    """

    def __init__(self, states: int, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """One Gaussian a state, all alike: the flat start."""
        self.floor = variance * _FLOOR_SHARE
        self.log_weights = torch.zeros(states, 1)
        self.means = mean.expand(states, 1, -1).clone()
        self.variances = variance.expand(states, 1, -1).clone()
        self._prepared: tuple[torch.Tensor, torch.Tensor] | None = None

    def save(self, path: Path) -> None:
        """Write as tensors."""
        with atomic_path(path) as partial:
            save_file({name: getattr(self, name) for name in _TENSORS}, partial)

    @classmethod
    def load(cls, path: Path) -> GaussianMixtures:
        """Read what `save` wrote."""
        tensors = load_file(path)
        mixtures = cls(len(tensors["means"]), tensors["floor"], tensors["floor"])
        for name in _TENSORS:
            setattr(mixtures, name, tensors[name])
        return mixtures

    @property
    def components(self) -> int:
        """Gaussians in use."""
        return int((self.log_weights > -math.inf).sum())

    def by_component(self, features: torch.Tensor) -> torch.Tensor:
        """Log-likelihoods with weights: (frames, states, components), nats."""
        if self._prepared is None:
            self._prepared = self._prepare()
        weights, constant = self._prepared
        both = torch.cat([features, features**2], 1)
        return torch.addmm(constant, both, weights).reshape(len(features), *self.log_weights.shape)

    def log_likelihoods(self, features: torch.Tensor) -> torch.Tensor:
        """(frames, dims) to (frames, states), nats."""
        return torch.cat([self._of_some(part) for part in features.split(self.rows)])

    @property
    def rows(self) -> int:
        """Frames that are looked at together."""
        return max(1, CELLS // self.log_weights.numel())

    def _of_some(self, features: torch.Tensor) -> torch.Tensor:
        parts = self.by_component(features)
        top = parts.amax(2, keepdim=True)
        # exp is many times slower where it underflows; what is clamped adds less than float32 can hold.
        return (parts - top).clamp_min_(_UNDERFLOW).exp_().sum(2).log_() + top[:, :, 0]

    def changed(self) -> None:
        """To be called when parameters were set: what is derived from them is made anew."""
        self._prepared = None

    def _prepare(self) -> tuple[torch.Tensor, torch.Tensor]:
        inverse = 1.0 / self.variances
        normaliser = self.variances.log().sum(2) + (self.means**2 * inverse).sum(2)
        constant = self.log_weights - 0.5 * (normaliser + self.means.shape[2] * math.log(2 * math.pi))
        weights = torch.cat([self.means * inverse, -0.5 * inverse], 2).flatten(0, 1)
        return weights.T.contiguous(), constant.clamp_min(_UNUSED).flatten()


class Accumulator:
    """Sufficient statistics of one EM pass; those of shards add up."""

    def __init__(self, model: GaussianMixtures) -> None:
        self.counts = torch.zeros(model.log_weights.shape, dtype=torch.double)
        self.sums = torch.zeros(model.means.shape, dtype=torch.double)
        self.squares = torch.zeros(model.means.shape, dtype=torch.double)

    def add(self, model: GaussianMixtures, features: torch.Tensor, states: torch.Tensor) -> None:
        """Frames (frames, dims) that are aligned to states (frames,)."""
        for part in zip(features.split(model.rows), states.split(model.rows)):
            self._add(model, *part)

    def _add(self, model: GaussianMixtures, features: torch.Tensor, states: torch.Tensor) -> None:
        rows = torch.arange(len(states))
        posterior = model.by_component(features)[rows, states].softmax(1)
        for m in range(posterior.shape[1]):
            share = posterior[:, m].double()
            self.counts[:, m].index_add_(0, states, share)
            weighted = share[:, None] * features.double()
            self.sums[:, m].index_add_(0, states, weighted)
            self.squares[:, m].index_add_(0, states, weighted * features.double())

    def update(self, model: GaussianMixtures, min_count: float = 10.0) -> None:
        """Maximum likelihood; components with fewer than `min_count` frames keep their place, or die if others live."""
        counts = self.counts
        alive = counts >= min_count
        seen = counts.clamp_min(1e-10)[:, :, None]
        means = (self.sums / seen).float()
        variances = (self.squares / seen - (self.sums / seen) ** 2).float()
        model.means = torch.where(alive[:, :, None], means, model.means)
        model.variances = torch.maximum(torch.where(alive[:, :, None], variances, model.variances), model.floor)
        share = torch.where(alive, counts, torch.zeros_like(counts))
        total = share.sum(1, keepdim=True)
        log_weights = (share / total.clamp_min(1e-10)).log().float()
        model.log_weights = torch.where(total > 0, log_weights, model.log_weights)
        model.changed()


def split(model: GaussianMixtures, counts: torch.Tensor, target: int, power: float = 0.25) -> None:
    """Split heavy components until about `target` Gaussians (Kaldi's allotment: the fourth root of the occupancy).

    Args:
        counts: (states,) frames of each state.
    """
    wanted = counts.clamp_min(1).double() ** power
    wanted = (wanted / wanted.sum() * target).round().clamp_min(1).long()
    wanted = torch.minimum(wanted, (counts / 20).long().clamp_min(1))
    size = max(int(wanted.max()), model.log_weights.shape[1])
    pad = size - model.log_weights.shape[1]
    if pad:
        states, dims = len(counts), model.means.shape[2]
        model.log_weights = torch.cat([model.log_weights, torch.full((states, pad), -math.inf)], 1)
        model.means = torch.cat([model.means, torch.zeros(states, pad, dims)], 1)
        model.variances = torch.cat([model.variances, torch.ones(states, pad, dims)], 1)
    for state in range(len(counts)):
        while (alive := int((model.log_weights[state] > -math.inf).sum())) < wanted[state]:
            heavy = int(model.log_weights[state].argmax())
            new = int((model.log_weights[state] == -math.inf).nonzero()[0])
            shift = 0.2 * model.variances[state, heavy].sqrt() * (1 if alive % 2 else -1)
            model.means[state, new] = model.means[state, heavy] + shift
            model.means[state, heavy] -= shift
            model.variances[state, new] = model.variances[state, heavy]
            model.log_weights[state, heavy] -= math.log(2)
            model.log_weights[state, new] = model.log_weights[state, heavy]
    model.changed()
