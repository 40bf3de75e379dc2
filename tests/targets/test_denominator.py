"""Occupancies of the denominator graph are k2's posteriors, and those of a sum over all sequences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from tests.lang.toy import Monophones, as_k2

from understudy.decode.search import Scales
from understudy.lang.denominator import denominator
from understudy.lang.phone_lm import estimate
from understudy.lang.state_graph import StateGraph, expand
from understudy.lang.tree import Tree
from understudy.targets.denominator import Occupied

try:
    import k2
except ImportError:  # the tests that need it are skipped
    k2 = None

SENONES = Monophones.num_senones
SCALES = Scales(0.7, 0.5)


@pytest.fixture
def graph() -> StateGraph:
    return expand(estimate([[1, 2], [2], [2, 1], [1, 2, 2], [3, 1], [1, 3, 2]], order=3), Monophones())


def dense(targets: dict, frames: int) -> torch.Tensor:
    """(frames, senones) of what was kept."""
    return torch.zeros(frames, SENONES).scatter_(1, targets["senones"].long(), targets["log_posteriors"].exp())


def logits(*frames: int) -> list[torch.Tensor]:
    torch.manual_seed(sum(frames))
    return [3 * torch.randn(n, SENONES) for n in frames]


def priors() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(SENONES).log_softmax(0)


@pytest.mark.k2
def test_they_are_the_posteriors_of_k2(graph: StateGraph) -> None:
    batch, log_priors = logits(9, 4, 7), priors()
    found = Occupied(graph, SCALES, log_priors, SENONES)(batch)
    for one, targets in zip(batch, found, strict=True):
        scores = SCALES.scores(one.log_softmax(1), log_priors)
        padded = torch.nn.functional.pad(scores[None], (1, 0), value=-1e30)
        fsa = k2.DenseFsaVec(padded, torch.tensor([[0, 0, len(one)]], dtype=torch.int32))
        lattice = k2.intersect_dense(k2.create_fsa_vec([as_k2(graph)]), fsa, 1e6, seqframe_idx_name="frame")
        shares, emits = lattice.get_arc_post(True, True).exp(), lattice.labels > 0
        where = lattice.frame[emits].long() * SENONES + lattice.labels[emits].long() - 1
        expected = torch.zeros(len(one) * SENONES, dtype=torch.double).index_add_(0, where, shares[emits])
        assert torch.allclose(dense(targets, len(one)), expected.view(-1, SENONES).float(), atol=1e-4)
        assert torch.allclose(targets["log_z"], one.logsumexp(1))


def test_they_are_a_sum_over_all_sequences(graph: StateGraph) -> None:
    (one,), log_priors, frames = logits(3), priors(), 3
    scores = SCALES.scores(one, log_priors).double().numpy()
    sums = np.zeros((frames, SENONES))
    arcs = {(s, t): w for s, t, w in zip(graph.sources, graph.targets, graph.weights)}
    # A path is a state for each frame, and whether it was entered or kept there.
    for states in itertools.product(range(len(graph.entry)), repeat=frames):
        for entered in itertools.product((True, False), repeat=frames - 1):
            weight, senones = graph.start[states[0]] + graph.final[states[-1]], [graph.entry[states[0]]]
            for before, after, new in zip(states, states[1:], entered):
                if not new and before != after:
                    weight = -np.inf
                    break
                weight += arcs.get((before, after), -np.inf) if new else graph.stay
                senones.append(graph.entry[after] if new else graph.loop[after])
            if weight > -np.inf:
                share = np.exp(weight + sum(scores[t, s] for t, s in enumerate(senones)))
                for t, s in enumerate(senones):
                    sums[t, s] += share
    (targets,) = Occupied(graph, SCALES, log_priors, SENONES)([one])
    assert np.allclose(dense(targets, frames).numpy(), sums / sums.sum(1, keepdims=True), atol=1e-5)


def test_the_largest_are_kept_and_what_fits_nowhere_is_left_out(graph: StateGraph, caplog) -> None:
    batch = logits(6, 5)
    # No path can be as unlikely as a frame that denies all phones but one, and the next frames that one.
    batch[1] = torch.where(torch.arange(5)[:, None] % 2 == 0, *(1e5 * torch.eye(SENONES)[[n]] for n in (0, 5)))
    full, kept = (Occupied(graph, SCALES, priors(), k)(batch) for k in (SENONES, 2))
    assert kept[1] is None and full[1] is None
    assert kept[0]["senones"].shape == (6, 2)
    assert torch.equal(kept[0]["senones"], full[0]["senones"][:, :2])
    assert bool((kept[0]["log_posteriors"].exp().sum(1) <= 1 + 1e-5).all())


def test_the_graph_is_that_of_aligned_phones() -> None:
    tree = Tree(3, 6, {f"{p} {c}": 2 * (p - 1) + c for p in (1, 2, 3) for c in (0, 1)})
    said = [[0, 1, 1, 2, 3], [2, 2, 4, 5]]  # entry senones are even: phones 1 2; 2 2 3
    lm, graph = denominator((np.array(s) for s in said), tree, order=2, extra_states=0)
    expected = estimate([[1, 2], [2, 2, 3]], 2, 0)
    assert lm.log_probs == expected.log_probs
    assert set(graph.entry.tolist()) == {0, 2, 4}
