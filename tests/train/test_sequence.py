"""Sequence criteria against k2, brute force and finite differences."""

import itertools
import math

import numpy as np
import pytest
import torch
from tests.lang.toy import Monophones, as_graph, as_k2

from understudy.align import forward_backward
from understudy.align.forward_backward import GraphBatch, log_partition
from understudy.data.batches import Batch
from understudy.decode.options import Beams
from understudy.decode.search import Scales
from understudy.lang.lexicon import Lexicon
from understudy.lang.phone_lm import estimate
from understudy.lang.state_graph import StateGraph, expand
from understudy.train.criteria import Hard
from understudy.train.options import SequenceOptions
from understudy.train.sequence import Mmi, Numerators, Smbr

try:
    import k2
except ImportError:  # the tests that need it are skipped
    k2 = None

SENONES = Monophones.num_senones
LM = estimate([[1, 2], [2], [2, 1], [1, 2, 2], [3, 1], [1, 3, 2]], order=3)


@pytest.fixture
def graphs() -> list[StateGraph]:
    other = estimate([[1, 1, 2], [2, 3]], order=2)
    return [expand(LM, Monophones()), expand(other, Monophones()), expand(LM, Monophones())]


def scores(batch: int, frames: int, spread: float = 2.0) -> torch.Tensor:
    torch.manual_seed(0)
    return (spread * torch.randn(batch, frames, SENONES, dtype=torch.double)).requires_grad_(True)


def k2_partition(graph: StateGraph, one: torch.Tensor) -> torch.Tensor:
    padded = torch.nn.functional.pad(one[None].float(), (1, 0), value=-1e30)
    dense = k2.DenseFsaVec(padded, torch.tensor([[0, 0, one.shape[0]]], dtype=torch.int32))
    found = k2.intersect_dense(k2.create_fsa_vec([as_k2(graph)]), dense, output_beam=1e6)
    return found.get_tot_scores(log_semiring=True, use_double_scores=True)[0]


@pytest.mark.k2
def test_log_partition_and_occupancies_are_those_of_k2(graphs):
    values, lengths = scores(3, 9), torch.tensor([9, 4, 7])
    ours = log_partition(values, lengths, GraphBatch.of(graphs))
    theirs = torch.stack([k2_partition(g, v[:n]) for g, v, n in zip(graphs, values, lengths)])
    assert torch.allclose(ours, theirs, atol=1e-4)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
    (mine,), (k2s,) = (torch.autograd.grad((z * weights).sum(), values) for z in (ours, theirs))
    assert torch.allclose(mine, k2s, atol=1e-4)
    assert not mine[1, 4:].any() and not mine[2, 7:].any()
    assert torch.allclose(mine.sum(2)[0], torch.ones(9, dtype=torch.double))


@pytest.mark.parametrize("dtype", [torch.double, torch.float])
def test_a_shared_graph_gives_the_sums_of_one_for_each(graphs, dtype):
    values, lengths = scores(3, 40), torch.tensor([40, 13, 31])
    single = values.detach().to(dtype).requires_grad_(True)
    shared = log_partition(single, lengths, GraphBatch.merged(graphs[1], dtype=dtype).shared(3))
    apart = log_partition(values, lengths, GraphBatch.of(graphs[1:2] * 3))
    bound = 1e-10 if dtype == torch.double else 1e-4
    assert torch.allclose(shared, apart, atol=bound, rtol=0)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
    (found,) = torch.autograd.grad((shared * weights).sum(), single)
    (expected,) = torch.autograd.grad((apart * weights).sum(), values)
    assert torch.allclose(found.double(), expected, atol=bound / 10) and not found[1, 13:].any()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("cells", [1, 100, 333])
def test_little_memory_changes_no_sum(graphs, monkeypatch, cells, shared):
    values, lengths = scores(3, 40), torch.tensor([40, 13, 31])
    batch = GraphBatch.merged(graphs[0]).shared(3) if shared else GraphBatch.of(graphs)
    whole = log_partition(values, lengths, batch)
    (expected,) = torch.autograd.grad(whole.sum(), values)
    seen, ahead = [], forward_backward._ahead

    def watched(*given):
        found = ahead(*given)
        seen.append(found[0].shape)
        return found

    monkeypatch.setattr(forward_backward, "CELLS", cells)
    monkeypatch.setattr(forward_backward, "_ahead", watched)
    found = log_partition(values, lengths, batch)
    assert torch.equal(found, whole) and found.isfinite().all()
    assert torch.equal(torch.autograd.grad(found.sum(), values)[0], expected)
    assert len(seen) > 2 and all(shape.numel() <= cells or shape[0] == 1 for shape in seen)


def test_gradients_are_those_of_finite_differences(graphs):
    lengths = torch.tensor([5, 2, 4])
    for batch in (GraphBatch.of(graphs), GraphBatch.merged(graphs[0]).shared(3)):
        assert torch.autograd.gradcheck(lambda v, b=batch: log_partition(v, lengths, b), scores(3, 5))


@pytest.mark.k2
@pytest.mark.parametrize(("spread", "lost"), [(20.0, False), (60.0, True), (400.0, True)])
def test_scores_far_apart_are_summed_exactly_or_refused(graphs, spread, lost):
    values, lengths = scores(3, 60, spread), torch.tensor([60, 60, 60])
    ours = log_partition(values, lengths, GraphBatch.of(graphs))
    theirs = torch.stack([k2_partition(g, v) for g, v in zip(graphs, values)])
    fits = ours.isfinite()
    assert bool(fits.all()) != lost and torch.allclose(ours[fits], theirs[fits], rtol=1e-5)
    (gradient,) = torch.autograd.grad(ours[fits].sum(), values)
    assert gradient.isfinite().all() and not gradient[~fits].any()


def test_no_path_is_minus_infinity_without_gradient():
    only = expand(estimate([[1, 2, 1]], order=3), Monophones())
    values = scores(2, 4)
    found = log_partition(values, torch.tensor([2, 4]), GraphBatch.of([only, only]))
    assert found[0] == -math.inf and found[1].isfinite()
    (gradient,) = torch.autograd.grad(found[1], values)
    assert gradient.isfinite().all() and not gradient[0].any()


@pytest.fixture
def batch() -> Batch:
    lengths = torch.tensor([4, 5])
    return Batch(["u", "v"], torch.zeros(2, 5, 1), lengths, torch.randint(0, 6, (9,)), None, None)


def mmi(options: SequenceOptions) -> Mmi:
    lexicon = Lexicon.from_entries([("A", ("a",)), ("AB", ("a", "b")), ("B", ("b",)), ("B", ("a",))])
    lm = estimate([[2, 3], [1, 2, 1, 3], [2, 1, 2], [3, 1]], order=2)  # phones: 1 SIL, 2 a, 3 b
    numerators = Numerators({"u": "A B", "v": "AB"}, lexicon, lm, Monophones())
    return Mmi(expand(lm, Monophones()), numerators, torch.linspace(-3, -1, SENONES).double(), options)


def test_mmi_is_the_share_of_the_transcripts_paths(batch):
    criterion = mmi(SequenceOptions(cross_entropy=0.0))
    values = scores(2, 5)
    lm = criterion.numerators.lm

    def total(one: torch.Tensor, sequences) -> float:
        """Σ over phone sequences and durations, with every path written out."""
        out = -math.inf
        for phones in sequences:
            state, weight = lm.start, 0.0
            for phone in phones:
                more, state = lm.follow(state, phone)
                weight += more
            weight += lm.end(state)
            for cuts in itertools.combinations(range(1, len(one)), len(phones) - 1):
                score, frame = weight, 0
                for phone, length in zip(phones, np.diff([0, *cuts, len(one)])):
                    for k in range(length):
                        score += float(one[frame, 2 * phone - 2 + (k > 0)]) + math.log(0.5)
                        frame += 1
                out = np.logaddexp(out, score)
        return out

    def all_sequences(frames: int):
        for count in range(1, frames + 1):
            for phones in itertools.product((1, 2, 3), repeat=count):
                state = lm.start
                for phone in phones:
                    following = {p: s for p, _, s in lm.arcs(state)}
                    if phone not in following:
                        break
                    state = following[phone]
                else:
                    if lm.final(state) is not None:
                        yield phones

    def silences(words):
        for gaps in itertools.product((0, 1), repeat=len(words) + 1):
            out = [1] * gaps[0]
            for word, gap in zip(words, gaps[1:]):
                out += [*word] + [1] * gap
            yield tuple(out)

    scaled = Scales(0.5, 0.6).scores(values.detach(), criterion.log_priors)
    spoken = {"u": [s for b in ((3,), (2,)) for s in silences([(2,), b])], "v": list(silences([(2, 3)]))}
    expected = [
        total(scaled[i, :n], spoken[u]) - total(scaled[i, :n], all_sequences(n))
        for i, u, n in ((0, "u", 4), (1, "v", 5))
    ]
    assert float(criterion(values, batch)) == pytest.approx(-sum(expected) / 9)


def test_graphs_of_transcripts_take_bounded_memory():
    first = mmi(SequenceOptions()).numerators
    room = first["u"].nbytes + first["v"].nbytes / 2
    assert first["u"] is first["u"] and first["v"] is first["v"]
    small = Numerators(first.transcripts, first.lexicon, first.lm, first.tree, cache_mb=room / 2**20)
    assert small["u"] is small["u"] and small["v"] is not small["v"]
    assert np.array_equal(small["v"].weights, first["v"].weights)


def test_mmi_gradient_with_cross_entropy_beside_it(batch):
    criterion = mmi(SequenceOptions(cross_entropy=0.3))
    assert torch.autograd.gradcheck(lambda z: criterion(z, batch), scores(2, 5))
    alone = mmi(SequenceOptions(cross_entropy=0.0))
    values = scores(2, 5)
    assert float(criterion(values, batch) - alone(values, batch)) == pytest.approx(0.3 * float(Hard()(values, batch)))


def test_too_short_an_utterance_is_named_and_the_others_count(batch, caplog):
    criterion = mmi(SequenceOptions(cross_entropy=0.0))
    short = Batch(["u", "v"], torch.zeros(2, 5, 1), torch.tensor([1, 5]), torch.randint(0, 6, (6,)), None, None)
    values = scores(2, 5)
    loss = criterion(values, short)
    (gradient,) = torch.autograd.grad(loss, values)
    assert loss.isfinite() and gradient.isfinite().all() and not gradient[0].any() and gradient[1].any()
    assert criterion.unfit == {"u"}


def test_smbr_is_the_expected_number_of_right_frames(batch):
    graph = as_graph(expand(LM, Monophones()))
    options = SequenceOptions(cross_entropy=0.0, beams=Beams(1e4, 1e4, 1, 100000))
    criterion = Smbr(graph, torch.zeros(SENONES), options)
    values = scores(2, 5).detach().float().requires_grad_(True)
    found = criterion.right(values, batch)

    def brute(one: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Every path of senones that the graph accepts, by its probability."""
        state_graph, total, right = expand(LM, Monophones()), [], []
        frames = len(one)
        for states in itertools.product(range(len(state_graph.entry)), repeat=frames):
            for enters in itertools.product([True, False], repeat=frames - 1):
                weight, senones = state_graph.start[states[0]], [state_graph.entry[states[0]]]
                for (a, b), enter in zip(itertools.pairwise(states), enters):
                    arcs = state_graph.weights[(state_graph.sources == a) & (state_graph.targets == b)]
                    weight += (
                        (arcs[0] if len(arcs) else -np.inf) if enter else (state_graph.stay if a == b else -np.inf)
                    )
                    senones.append(state_graph.entry[b] if enter else state_graph.loop[b])
                    if weight == -np.inf:
                        break
                weight += state_graph.final[states[-1]]
                if weight > -np.inf:
                    total.append(weight + sum(one[t, s] for t, s in enumerate(senones)))
                    right.append(sum(int(s == labels[t]) for t, s in enumerate(senones)))
        shares = torch.stack(total).softmax(0)
        return (shares * torch.tensor(right)).sum()

    labels = batch.labels.split([4, 5])
    one = values[0, :4]
    assert float(found[0]) == pytest.approx(float(brute(one, labels[0])), abs=1e-3)
    (ours,), (theirs,) = torch.autograd.grad(found[0], values), torch.autograd.grad(brute(one, labels[0]), values)
    assert torch.allclose(ours, theirs, atol=1e-3)
    assert ours.abs().max() > 1e-3


def test_smbr_gradient_is_that_of_finite_differences(batch):
    options = SequenceOptions(cross_entropy=0.2, beams=Beams(1e4, 1e4, 1, 100000))
    criterion = Smbr(as_graph(expand(LM, Monophones())), torch.linspace(-2, -1, SENONES), options)
    values = scores(2, 5).detach().float().requires_grad_(True)
    (gradient,) = torch.autograd.grad(criterion(values, batch), values)
    for place in [(0, 0, 1), (0, 3, 2), (1, 4, 0), (1, 2, 3), (0, 4, 0)]:
        moved = [values.detach().clone() for _ in range(2)]
        moved[0][place] += 0.05
        moved[1][place] -= 0.05
        slope = (criterion(moved[0], batch) - criterion(moved[1], batch)) / 0.1
        assert float(gradient[place]) == pytest.approx(float(slope), abs=2e-4)


def test_an_empty_lattice_is_counted_and_costs_nothing(batch):
    only = as_graph(expand(estimate([[1, 2, 3, 4, 1]], order=5), Monophones()))
    criterion = Smbr(only, torch.zeros(SENONES), SequenceOptions(cross_entropy=0.0))
    values = scores(2, 5).detach().float().requires_grad_(True)
    five = Batch(["u", "v"], batch.features, batch.lengths, torch.tensor([0, 2, 4, 6, 0, 2, 4, 7, 0]), None, None)
    found = criterion.right(values, five)  # five phones: the first utterance has four frames
    assert criterion.empty == 1 and found.tolist() == pytest.approx([0, 4])
