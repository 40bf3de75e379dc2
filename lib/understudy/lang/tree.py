"""The phonetic decision tree: its leaves are the senones, shared by HMM states in several contexts.

A leaf is split by the question on the left or right phone (or on the left alone, as in Kaldi's chain recipes) that
gains most log-likelihood under single diagonal Gaussians (Young, Odell and Woodland 1994). Questions are derived from
the data: phones are clustered top-down by the same likelihood, as in Kaldi. Silence is not split.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from understudy.device.vocabulary import asks_right, leaf, states_of
from understudy.step import UserError, fingerprint, read_json, write_json

Statistics = dict[tuple[int, int, int, int], np.ndarray]
"""Map of (left, phone, right, pdf-class) to (1 + 2 * dims,): count, sums, sums of squares."""

PDF_CLASSES = 2
_LEFT, _RIGHT = 0, 1


@dataclass
class Tree:
    """A decision tree: a map of (left, phone, right, pdf-class) to senones."""

    phones: int
    """Phone ids are 1 to `phones`; 0 stands for no phone, at an utterance's edge."""
    num_senones: int
    nodes: dict[str, list | int] = field(default_factory=dict)
    """Root of each `phone pdf-class`: nested [side, phones, yes, no] with side 0 (left) or 1 (right), or a senone."""

    def __post_init__(self) -> None:
        self._cache: dict[tuple[int, int, int, int], int] = {}

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        """Return the senone, 0 to num_senones - 1, of a state.

        Raises:
            UserError: the tree does not have the phone.
        """
        key = (left, centre, right, pdf_class)
        if key not in self._cache:
            node = self.nodes.get(f"{centre} {pdf_class}")
            if node is None:
                raise UserError(f"phone {centre}, pdf-class {pdf_class}: not in the tree. Build it with this lexicon.")
            self._cache[key] = leaf(node, left, right)
        return self._cache[key]

    @property
    def asks_right(self) -> bool:
        """Whether any senone depends on the right phone."""
        return asks_right(self.nodes.values())

    def states(self) -> list[tuple[int, int]]:
        """Return the (phone, pdf-class) of each senone; roots are never shared."""
        return states_of(self.nodes)

    def senones_of(self, phone: int) -> list[int]:
        """Return the senones of a phone, rising."""
        return [senone for senone, (one, _) in enumerate(self.states()) if one == phone]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the tree's content, which models and targets record."""
        return fingerprint.digest(self._values())

    def save(self, path: Path) -> None:
        """Write the tree as JSON."""
        write_json(path, self._values())

    def _values(self) -> dict:
        return {"phones": self.phones, "num_senones": self.num_senones, "nodes": self.nodes}

    @classmethod
    def load(cls, path: Path) -> Tree:
        """Read what `save` wrote."""
        return cls(**read_json(path))


def accumulate(stats: Statistics, contexts: np.ndarray, features: np.ndarray) -> None:
    """Add frames to the statistics: contexts (frames, 4), features (frames, dims)."""
    values = np.concatenate([np.ones((len(features), 1)), features, features.astype(np.float64) ** 2], 1)
    keys, where = np.unique(contexts, axis=0, return_inverse=True)
    sums = np.zeros((len(keys), values.shape[1]))
    np.add.at(sums, where.reshape(-1), values)
    for key, total in zip(map(tuple, keys.tolist()), sums):
        stats[key] = stats[key] + total if key in stats else total


def log_likelihood(stats: np.ndarray, floor: float = 1e-2) -> np.ndarray:
    """Return the log-likelihood of frames under their own maximum-likelihood diagonal Gaussian, up to a constant.

    Args:
        stats: (..., 1 + 2 * dims) statistics.
        floor: smallest variance.
    """
    count = stats[..., :1]
    safe = np.maximum(count, 1e-10)
    dims = (stats.shape[-1] - 1) // 2
    mean = stats[..., 1 : 1 + dims] / safe
    variance = np.maximum(stats[..., 1 + dims :] / safe - mean**2, floor)
    return -0.5 * count[..., 0] * (np.log(variance) + 1.0).sum(-1)


def questions(stats: Statistics, phones: int, silence: int) -> list[frozenset[int]]:
    """Return the sets of phones to ask for: clusters of a top-down clustering, each phone, silence with the edge."""
    dims = len(next(iter(stats.values())))
    of_phone = np.zeros((phones + 1, dims))
    for (_, centre, _, _), total in stats.items():
        of_phone[centre] += total
    speech = [p for p in range(1, phones + 1) if p != silence and of_phone[p][0] > 0]
    found = {frozenset([p]) for p in speech} | {frozenset([0, silence])}
    todo = [speech]
    while todo:
        cluster = todo.pop()
        found.add(frozenset(cluster))
        if len(cluster) > 2:
            todo += _halves(cluster, of_phone)
    return sorted(found, key=lambda s: (len(s), sorted(s)))


def _halves(cluster: list[int], of_phone: np.ndarray) -> list[list[int]]:
    """Split a cluster of phones by 2-means with the likelihood, starting along the dimension of most variance."""
    stats = of_phone[cluster]
    means = stats[:, 1 : 1 + (stats.shape[1] - 1) // 2] / stats[:, :1]
    along = means[:, means.var(0).argmax()]
    side = along > np.median(along)
    if side.all() or not side.any():
        side = np.arange(len(cluster)) % 2 == 0
    for _ in range(10):
        moved = False
        for i in range(len(cluster)):
            options = []
            for choice in (False, True):
                trial = side.copy()
                trial[i] = choice
                both = [stats[trial].sum(0), stats[~trial].sum(0)]
                ok = trial.any() and not trial.all()
                options.append(sum(log_likelihood(b) for b in both) if ok else -np.inf)
            best = options[1] > options[0]
            if best != side[i]:
                side[i], moved = best, True
        if not moved:
            break
    groups = [[p for p, s in zip(cluster, side) if s], [p for p, s in zip(cluster, side) if not s]]
    return [g for g in groups if g]


class _Asked(NamedTuple):
    """The questions by which leaves may be split."""

    phones: list[frozenset[int]]
    sides: tuple[int, ...]


class _Leaf:
    """A set of contexts of one phone and pdf-class, with its best split."""

    def __init__(self, keys: list[tuple], values: np.ndarray, asked: _Asked, min_count: float) -> None:
        self.keys, self.values = keys, values
        self.gain, self.side = 0.0, 0
        self.question: frozenset[int] = frozenset()
        self.mask: np.ndarray | None = None
        self.children: tuple[_Leaf, _Leaf] | None = None
        total = values.sum(0)
        if len(keys) < 2 or total[0] < 2 * min_count:
            return
        whole = log_likelihood(total)
        for side in asked.sides:
            ids = np.array([k[2 * side] for k in keys])
            masks = np.array([np.isin(ids, list(q)) for q in asked.phones])
            yes = masks.astype(np.float64) @ values
            no = total - yes
            gains = log_likelihood(yes) + log_likelihood(no) - whole
            gains[(yes[:, 0] < min_count) | (no[:, 0] < min_count)] = -np.inf
            best = int(gains.argmax())
            if gains[best] > self.gain:
                self.gain, self.side, self.question, self.mask = (
                    float(gains[best]),
                    side,
                    asked.phones[best],
                    masks[best],
                )

    def split(self, asked: _Asked, min_count: float) -> tuple[_Leaf, _Leaf]:
        if self.mask is None:
            raise ValueError("no question splits this set of contexts")
        parts = []
        for mask in (self.mask, ~self.mask):
            chosen = np.flatnonzero(mask)
            parts.append(_Leaf([self.keys[i] for i in chosen], self.values[chosen], asked, min_count))
        self.children = (parts[0], parts[1])
        return self.children


def build(
    stats: Statistics, phones: int, silence: int, target: int, min_count: float = 100.0, min_gain: float = 100.0,
    right: bool = True,
) -> Tree:  # fmt: skip
    """Grow the tree greedily: the best split of all leaves comes first.

    Args:
        stats: see `accumulate`.
        phones: number of phones.
        silence: phone id of silence.
        target: number of senones at which to stop.
        min_count: fewest frames of a senone.
        min_gain: least gain of a split, nats.
        right: whether to ask for the right phone too.

    Raises:
        UserError: `target` is below the number of roots (phones × pdf-classes).
    """
    roots = phones * PDF_CLASSES
    if target < roots:
        raise UserError(f"--senones {target}: fewer than {phones} phones × {PDF_CLASSES} pdf-classes. Ask for more.")
    asked = _Asked(questions(stats, phones, silence), (_LEFT, _RIGHT) if right else (_LEFT,))
    dims = len(next(iter(stats.values())))
    trees: dict[str, _Leaf] = {}
    for phone, pdf_class in itertools.product(range(1, phones + 1), range(PDF_CLASSES)):
        keys = sorted(k for k in stats if k[1] == phone and k[3] == pdf_class)
        values = np.array([stats[k] for k in keys]).reshape(len(keys), dims)
        trees[f"{phone} {pdf_class}"] = _Leaf(keys, values, asked, np.inf if phone == silence else min_count)
    order = itertools.count()
    heap = [(-leaf.gain, next(order), leaf) for leaf in trees.values()]
    heapq.heapify(heap)
    leaves = len(heap)
    while leaves < target and heap:
        gain, _, leaf = heapq.heappop(heap)
        if -gain < min_gain or leaf.mask is None:
            break
        for child in leaf.split(asked, min_count):
            heapq.heappush(heap, (-child.gain, next(order), child))
        leaves += 1
    numbers = itertools.count()
    nodes = {name: _nested(leaf, numbers) for name, leaf in trees.items()}
    return Tree(phones, next(numbers), nodes)


def _nested(leaf: _Leaf, numbers: itertools.count) -> list | int:
    if leaf.children is None:
        return next(numbers)
    yes, no = (_nested(child, numbers) for child in leaf.children)
    return [leaf.side, sorted(leaf.question), yes, no]
