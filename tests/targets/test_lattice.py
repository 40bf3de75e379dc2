"""Targets from a search, against exact sums over its graph."""

import numpy as np
import pytest
import torch
from tests.lang.toy import Monophones, as_graph

from understudy.align.forward_backward import GraphBatch, log_partition
from understudy.align.graph import ENTRY_LOOP, alignment_graph
from understudy.align.viterbi import viterbi
from understudy.decode.options import Beams
from understudy.decode.search import Scales
from understudy.lang.phone_lm import estimate
from understudy.lang.state_graph import expand
from understudy.targets.lattice import Decoded

SENONES = Monophones.num_senones
PRIORS = torch.linspace(-3, -1, SENONES)
SCALES = Scales(0.5, 0.7)
WIDE = Beams(1e4, 1e4, 1, 100000)


def logits() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [3 * torch.randn(frames, SENONES) for frames in (4, 9, 6)]


def test_lattice_targets_are_the_exact_occupancies():
    graph = expand(estimate([[1, 2], [2], [2, 1], [1, 2, 2], [3, 1], [1, 3, 2]], order=3), Monophones())
    values = logits()
    found = Decoded(as_graph(graph), SCALES, PRIORS, WIDE, SENONES, soft=True)(values)
    for one, targets in zip(values, found, strict=True):
        scores = SCALES.scores(one.log_softmax(1), PRIORS).double()[None].requires_grad_(True)
        (exact,) = torch.autograd.grad(
            log_partition(scores, torch.tensor([len(one)]), GraphBatch.of([graph])).sum(), scores
        )
        ours = torch.zeros(len(one), SENONES).scatter(
            1, targets["senones"].long(), targets["log_posteriors"].float().exp()
        )
        assert torch.allclose(ours, exact[0].float(), atol=2e-3)  # fp16
        assert torch.allclose(targets["log_z"], one.logsumexp(1))


def test_best_path_targets_are_the_viterbi_path_of_the_only_sentence():
    values, phones = logits(), [1, 2, 3, 2]
    graph = expand(estimate([phones], order=5), Monophones())
    found = Decoded(as_graph(graph), SCALES, PRIORS, WIDE, 20, soft=False)(values)
    # Silence is phone 4, which no score favours here: the transcript's graph has it optional.
    labels = alignment_graph([[phones]], 4, ENTRY_LOOP, Monophones().senone)
    for one, targets in zip(values, found, strict=True):
        scores = SCALES.scores(one.log_softmax(1), PRIORS)
        scores[:, 6:] = -100.0
        states, _ = viterbi([labels], [scores])[0]
        assert np.array_equal(targets["senones"][:, 0].numpy(), labels.labels[states])
        assert targets["senones"].shape == (len(one), 1) and not targets["log_posteriors"].any()


def test_an_utterance_without_a_path_has_no_targets(caplog):
    graph = expand(estimate([[1, 2, 3, 4, 1, 2]], order=7), Monophones())
    with caplog.at_level("WARNING", "understudy"):
        found = Decoded(as_graph(graph), SCALES, PRIORS, WIDE, 20, soft=True)(logits())
    assert [targets is None for targets in found] == [True, False, False]
    assert "1 utterances have an empty lattice" in caplog.text


@pytest.mark.parametrize("soft", [True, False])
def test_order_does_not_matter(soft):
    graph = as_graph(expand(estimate([[1, 2], [2], [2, 1]], order=3), Monophones()))
    one = Decoded(graph, SCALES, PRIORS, WIDE, 3, soft)
    values = logits()
    forth, back = one(values), one(values[::-1])[::-1]
    for a, b in zip(forth, back, strict=True):
        assert torch.equal(a["senones"], b["senones"])
