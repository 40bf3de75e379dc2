"""Alignment against k2, brute force and Kaldi's own Gaussians."""

import itertools
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from lhotse.testing.dummies import dummy_cut, dummy_features

from understudy.align import archive, gmm, labels, network
from understudy.align.archive import AlignmentReader, AlignmentWriter
from understudy.align.check import BoundaryCheck
from understudy.align.gmm import Accumulator, GaussianMixtures, split
from understudy.align.graph import ENTRY_LOOP, THREE_STATE, alignment_graph
from understudy.align.monophone import SpokenCut, segments, train
from understudy.align.viterbi import viterbi
from understudy.features.batches import consecutive
from understudy.step import UserError

viterbi_module = sys.modules[viterbi.__module__]  # the room's own name of it is the function's

try:
    import k2
except ImportError:  # the tests that need it are skipped
    k2 = None

# Two pronunciations of the first word; phone 1 is silence.
WORDS = [[[2, 3], [4]], [[5, 2]]]


def as_k2(graph):
    """The same graph for k2: labels + 1, arcs into a state emit its label."""
    states, arcs = len(graph.labels), []
    for s in range(states):
        if graph.starts[s]:
            arcs.append((0, s + 1, int(graph.labels[s]) + 1))
        arcs += [(p + 1, s + 1, int(graph.labels[s]) + 1) for p in graph.predecessors[s]]
        if graph.ends[s]:
            arcs.append((s + 1, states + 1, -1))
    lines = [f"{a} {b} {c} 0" for a, b, c in sorted(arcs)] + [str(states + 1)]
    return k2.Fsa.from_str("\n".join(lines))


@pytest.mark.parametrize("topology", [THREE_STATE, ENTRY_LOOP])
@pytest.mark.parametrize("context", [True, False])
@pytest.mark.k2
def test_viterbi_finds_the_score_of_k2(topology, context):
    names = {}
    graph = alignment_graph(
        WORDS, 1, topology, lambda left, p, right, s: names.setdefault((left, p, right, s), len(names)), context
    )
    torch.manual_seed(0)
    scores = [torch.randn(frames, len(names)) for frames in (20, 14)]
    for score, (path, best) in zip(scores, viterbi([graph, graph], scores)):
        dense = torch.cat([torch.full((len(score), 1), -1e30), score], 1)[None]
        dense_fsa = k2.DenseFsaVec(dense, torch.tensor([[0, 0, len(score)]], dtype=torch.int32))
        lattice = k2.intersect_dense(k2.create_fsa_vec([as_k2(graph)]), dense_fsa, output_beam=10.0)
        assert best == pytest.approx(float(lattice.get_tot_scores(False, False)), abs=1e-3)
        assert best == pytest.approx(float(score[range(len(path)), graph.labels[path]].sum()), abs=1e-3)
        assert graph.starts[path[0]] and graph.ends[path[-1]]
        assert all(a in graph.predecessors[b] for a, b in itertools.pairwise(path))


def test_too_short_is_none():
    graph = alignment_graph(WORDS, 1, THREE_STATE, lambda *c: c[1], context=False)
    assert viterbi([graph], [torch.zeros(8, 6)]) == [None]  # three phones of three states want nine frames
    assert viterbi([graph], [torch.zeros(9, 6)])[0] is not None


def utterances(rng: np.random.Generator, sizes: list[tuple[int, int]]) -> tuple[list, list[torch.Tensor]]:
    """Graphs of so many words, and scores of so many frames."""
    words = [[[[2, 3], [4]] if rng.random() < 0.5 else [[5, 2]] for _ in range(number)] for number, _ in sizes]
    graphs = [alignment_graph(one, 1, THREE_STATE, lambda _l, p, _r, s: 3 * p + s, context=False) for one in words]
    return graphs, [torch.from_numpy(rng.normal(0, 3, (frames, 18)).astype(np.float32)) for _, frames in sizes]


@pytest.mark.parametrize("cells", [10, 700, 3000])
def test_little_memory_changes_no_path(monkeypatch, cells):
    """Batches of few utterances, and blocks of few frames, of one too; one is too short."""
    graphs, scores = utterances(np.random.default_rng(0), [(2, 40), (9, 150), (1, 17), (3, 8), (2, 25)])
    whole = viterbi(graphs, scores)
    searched, forward = [], viterbi_module._Batch._forward

    def seen(batch, begin, end, edge):
        searched.append(((end - begin) * batch.start.numel(), end - begin))
        return forward(batch, begin, end, edge)

    monkeypatch.setattr(viterbi_module, "CELLS", cells)
    monkeypatch.setattr(viterbi_module._Batch, "_forward", seen)
    found = viterbi(graphs, scores)
    assert [one is None for one in found] == [False, False, False, True, False]
    for (path, score), (expected, best) in ((a, b) for a, b in zip(found, whole) if b is not None):
        assert score == best and np.array_equal(path, expected)
    assert all(size <= cells or frames == 1 for size, frames in searched) and len(searched) > 5


def test_one_long_utterance_among_short_ones_takes_the_memory_of_its_length():
    """A minute among 60 of three seconds took 4.1 GB, where without it they take 0.45."""
    code = textwrap.dedent("""
        import resource, numpy as np, torch
        from understudy.align import monophone
        torch.set_num_threads(1)
        rng = np.random.default_rng(1)

        def spoken(name, seconds):
            words = [[[int(p) for p in rng.integers(2, 41, 4)]] for _ in range(3 * seconds)]
            frames = torch.from_numpy(rng.standard_normal((100 * seconds, 39)).astype(np.float32))
            return monophone.SpokenCut(name, frames, words, 1)

        cuts = [spoken(f"u{i}", 3) for i in range(60)] + [spoken("long", 60)]
        model = monophone.train(cuts, 40, iterations=2, gaussians=300)
        assert all(found is not None for found in monophone.segments(cuts, model))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1200  # MB


def test_mixtures_are_the_same_over_slices_of_frames(monkeypatch):
    torch.manual_seed(0)
    mixtures = GaussianMixtures(6, torch.zeros(4), torch.ones(4))
    split(mixtures, torch.full((6,), 100.0), 18)
    frames, states = torch.randn(90, 4), torch.randint(6, (90,))
    accumulators = [Accumulator(mixtures), Accumulator(mixtures)]
    whole = mixtures.log_likelihoods(frames)
    accumulators[0].add(mixtures, frames, states)
    monkeypatch.setattr(gmm, "CELLS", 7 * mixtures.log_weights.numel())
    assert mixtures.rows == 7 and torch.allclose(mixtures.log_likelihoods(frames), whole, atol=1e-5)
    accumulators[1].add(mixtures, frames, states)
    for name in ("counts", "sums", "squares"):
        assert torch.allclose(*(getattr(one, name) for one in accumulators), atol=1e-4)


def test_a_network_hears_few_long_cuts_at_once():
    def lengths(*seconds):
        cuts = [dummy_cut(i, duration=one, supervisions=[]) for i, one in enumerate(seconds)]
        for cut in cuts:
            cut.features = dummy_features(0, 0, cut.duration)
            cut.features.num_frames = round(100 * cut.duration)
        return [[one.duration for one in batch] for batch in consecutive(cuts, network.FRAMES, network.BATCH)]

    assert lengths(*[5.0] * 20) == [[5.0] * 16, [5.0] * 4]
    assert lengths(5.0, 180.0, 180.0, 180.0, 5.0) == [[5.0, 180.0], [180.0, 180.0], [5.0]]
    assert lengths(1000.0, 5.0) == [[1000.0], [5.0]]


def test_contexts_cross_words_and_silence():
    graph = alignment_graph(WORDS, 1, ENTRY_LOOP, lambda *c: 0)
    seen = {tuple(c[:3]) for c in graph.contexts.tolist()}
    assert {(3, 5, 2), (1, 5, 2), (4, 5, 2), (0, 2, 3), (1, 2, 3), (5, 2, 0), (5, 2, 1)} <= seen
    assert (2, 5, 2) not in seen


def test_monophones_find_the_segments_of_synthetic_speech():
    rng = np.random.default_rng(0)
    means = rng.normal(0, 3, (7, 6))

    def say(number: int) -> tuple[SpokenCut, list[int]]:
        phones = [1, *rng.permutation(np.arange(2, 7)), 1]  # no phone twice in a row: its boundary has no place
        lengths = rng.integers(6, 15, len(phones))
        frames = np.concatenate([means[p] + rng.normal(0, 1, (n, 6)) for p, n in zip(phones, lengths)])
        words = [[[int(p)]] for p in phones[1:-1]]
        return SpokenCut(str(number), torch.tensor(frames, dtype=torch.float32), words, 1), np.cumsum(lengths).tolist()

    spoken = [say(i) for i in range(40)]
    model = train([u for u, _ in spoken], 6, iterations=15, gaussians=18)
    wrong = total = 0
    for found, (_, ends) in zip(segments([u for u, _ in spoken], model), spoken, strict=True):
        merged = [e for p, _, e in found.tolist()]
        total += len(ends)
        wrong += sum(min(abs(e - m) for m in merged) > 2 for e in ends)
    assert wrong / total < 0.05


def test_gaussians_are_kaldis():
    # In a process of its own: Kaldi's packages do not all load together.
    code = textwrap.dedent("""
        import torch, numpy as np, kaldi_hmm_gmm as khg
        from understudy.align.gmm import GaussianMixtures
        torch.manual_seed(0)
        ours = GaussianMixtures(1, torch.zeros(4), torch.ones(4))
        ours.log_weights = torch.tensor([[0.3, 0.7]]).log()
        ours.means, ours.variances = torch.randn(1, 2, 4), torch.rand(1, 2, 4) + 0.5
        kaldi = khg.DiagGmm(2, 4)
        kaldi.set_weights(ours.log_weights[0].exp().numpy())
        kaldi.set_invvars_and_means((1 / ours.variances[0]).numpy(), ours.means[0].numpy())
        kaldi.compute_gconsts()
        frames = torch.randn(9, 4)
        theirs = [kaldi.log_likelihood(f) for f in frames.numpy()]
        assert np.abs(ours.log_likelihoods(frames)[:, 0].numpy() - theirs).max() < 1e-4
    """)
    subprocess.run([sys.executable, "-c", code], check=True)


def test_em_never_loses_likelihood():
    torch.manual_seed(1)
    frames = torch.cat([torch.randn(300, 3) * 0.5 + c for c in (-3.0, 0.0, 4.0)])
    states = torch.zeros(900, dtype=torch.long)
    model = GaussianMixtures(1, frames.mean(0), frames.var(0))
    last = -np.inf
    for iteration in range(12):
        accumulator = Accumulator(model)
        accumulator.add(model, frames, states)
        accumulator.update(model)
        if iteration == 2:
            split(model, accumulator.counts.sum(1), 3)
            last = -np.inf
        total = float(model.log_likelihoods(frames).sum())
        assert total >= last - 1e-2
        last = total
    assert model.components == 3


@pytest.mark.parametrize("seed", range(20))
def test_every_phone_keeps_a_stacked_frame(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, 12)
    ends = np.cumsum(lengths)
    segments10 = np.stack([np.arange(12), np.r_[0, ends[:-1]], ends], 1)
    frames = int(ends[-1]) // 3
    stacked = labels.to_stacked(segments10, frames)
    if frames < 12:
        assert stacked is None
        return
    assert stacked[0, 1] == 0 and stacked[-1, 2] == frames
    assert (stacked[:, 2] > stacked[:, 1]).all() and (stacked[1:, 1] == stacked[:-1, 2]).all()
    contexts = labels.contexts(stacked)
    assert len(contexts) == frames and (contexts[:, 3] == 0).sum() == 12


def test_archive_refuses_another_length(tmp_path):
    writer = AlignmentWriter(tmp_path, ["senone"], shard_size=2)
    for i in range(5):
        writer.write(f"u{i}", np.arange(i + 1), i + 1)
    writer.close()
    reader = AlignmentReader(tmp_path)
    assert [reader.read(f"u{i}", i + 1)[:, 0].tolist() for i in range(5)] == [list(range(i + 1)) for i in range(5)]
    with pytest.raises(UserError, match=r"cut u3 had 4 stacked frames .* has 5 now"):
        reader.read("u3", 5)
    with pytest.raises(UserError, match="no alignment of cut nobody"):
        reader.read("nobody", 5)


def test_an_archive_keeps_a_bounded_number_of_shards_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_SHARDS_IN_MEMORY", 2)
    writer = AlignmentWriter(tmp_path, ["senone"], shard_size=1)
    for i in range(4):
        writer.write(f"u{i}", np.full(3, i), 3)
    writer.close()
    loaded, load = [], archive.load_file
    monkeypatch.setattr(archive, "load_file", lambda path: loaded.append(int(path.stem)) or load(path))
    reader = AlignmentReader(tmp_path)
    for i in (0, 1, 0, 2, 0, 1):
        assert (reader.read(f"u{i}", 3) == i).all()
    assert loaded == [0, 1, 2, 1]  # what was asked for last stays
    assert [rows[0, 0] for rows in reader.rows()] == [0, 1, 2, 3] and reader._shard.cache_info().currsize == 2


def test_boundary_check_counts_what_it_cannot_compare():
    check = BoundaryCheck()
    check.add([("SIL", 0.0), ("A", 0.10), ("B", 0.30)], [("SIL", 0.0), ("A", 0.13), ("B", 0.38)])
    check.add([("SIL", 0.0), ("X", 0.10)], [("SIL", 0.0), ("A", 0.13)])
    assert check.summary()["boundaries"] == 3 and check.summary()["compared"] == 2
    assert check.within(0.04) == 0.5
