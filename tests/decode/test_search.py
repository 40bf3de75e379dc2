"""Search: exact words, retries counted, nothing lost silently."""

import gc
import weakref
from dataclasses import replace

import pytest
import torch
from tests.lang import toy

from understudy.decode import search as module
from understudy.decode.batch import Decoded, outcome
from understudy.decode.options import Beams
from understudy.decode.search import Found, Rescale, Scales, Wanted, search, search_each
from understudy.lang.graph import with_word_cost, words_of
from understudy.lang.hclg import build_hclg
from understudy.score.outcome import write_outcome

try:
    from understudy.decode import k2_search
    from understudy.decode.k2_search import as_vector
except ImportError:  # the tests that need it are skipped
    k2_search = as_vector = None


@pytest.fixture(params=[pytest.param("k2", marks=pytest.mark.k2), "numpy"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    return lexicon, tree, build_hclg(lexicon, toy.write_arpa(tmp_path_factory.mktemp("lm")), tree)


def utterance(language, phones, frames=2):
    lexicon, tree, _ = language
    padded = [0, *(lexicon.phone_ids[p] for p in phones), 0]
    scores = torch.full((len(phones) * frames, tree.num_senones), -50.0)
    for i in range(len(scores)):
        scores[i, tree.senone(*padded[i // frames : i // frames + 3], min(i % frames, 1))] = 0.0
    return scores


def test_words_in_the_order_given(language, engine):
    lexicon, _, graph = language
    batch = [utterance(language, p) for p in (["c"], ["SIL", "c", "SIL", "c"], ["c", "c", "c"])]
    found = search(graph, batch, engine=engine)
    assert [[lexicon.words[w] for w in f.words] for f in found] == [["B"], ["B", "B"], ["B", "B", "B"]]
    assert not any(f.retried or f.empty for f in found)


def test_an_empty_lattice_is_retried_then_counted(language, engine):
    graph = language[2]
    impossible = torch.full((5, language[1].num_senones), -1e30)
    narrow = Beams(search=0.01, output=0.01, min_active=1, max_active=2)
    good = utterance(language, ["c", "SIL", "c"])
    found = search(graph, [good, impossible, torch.zeros(0, language[1].num_senones)], narrow, engine)
    assert found[2].empty and not found[2].words
    assert found[0].words or (found[0].retried and found[0].empty)


@pytest.mark.k2
def test_retry_uses_wider_beams(language, monkeypatch):
    tried = []

    def fake(graph, utterances, beams, rescales, wanted):
        tried.append((len(utterances), beams.search, beams.max_active))
        return [[Found([1]) if len(u) < 2 * len(tried) else Found([], empty=True)] for u in utterances]

    monkeypatch.setattr(k2_search, "search_part", fake)
    found = search(None, [torch.zeros(n, 3) for n in (1, 3, 9)], Beams(search=10.0, max_active=100))
    assert tried == [(3, 10.0, 100), (2, 20.0, 200), (1, 40.0, 400)]
    assert [(f.retried, f.empty) for f in found] == [(False, False), (True, False), (True, True)]


@pytest.mark.k2
def test_a_graph_is_looked_at_once_and_let_go(language):
    graph = replace(language[2])
    vector = weakref.ref(as_vector(graph))
    assert as_vector(graph) is vector()
    assert as_vector(language[2]) is not vector()
    del graph
    gc.collect()
    assert vector() is None


@pytest.mark.k2
def test_a_large_batch_is_searched_in_parts(language, monkeypatch):
    sizes, whole = [], k2_search._search_batch

    def counted(graph, utterances, beams, rescales, wanted):
        sizes.append([len(u) for u in utterances])
        return whole(graph, utterances, beams, rescales, wanted)

    batch = [utterance(language, ["c", "SIL"] * n + ["c"]) for n in (0, 4, 1, 2, 1)]
    expected = [found.words for found in search(language[2], batch)]
    monkeypatch.setattr(k2_search, "_search_batch", counted)
    monkeypatch.setattr(module, "FRAMES", 15)
    assert [found.words for found in search(language[2], batch)] == expected
    assert [len(words) for words in expected] == [1, 5, 2, 3, 2]
    assert sizes == [[18], [10], [6, 6], [2]]


@pytest.mark.k2
def test_out_of_memory_halves_the_batch(language, monkeypatch):
    sizes, whole = [], k2_search._search_batch

    def limited(graph, utterances, beams, rescales, wanted):
        sizes.append(len(utterances))
        if len(utterances) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return whole(graph, utterances, beams, rescales, wanted)

    monkeypatch.setattr(k2_search, "_search_batch", limited)
    found = search(language[2], [utterance(language, ["c"])] * 3)
    assert sizes == [3, 1, 2, 1, 1] and all(len(f.words) == 1 for f in found)


@pytest.mark.k2
def test_out_of_memory_on_one_utterance_narrows_the_search_and_is_counted(language, monkeypatch, tmp_path):
    tried, whole = [], k2_search._search_batch

    def limited(graph, utterances, beams, rescales, wanted):
        tried.append(beams.max_active)
        if beams.max_active > 300 and len(utterances[0]) > 4:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return whole(graph, utterances, beams, rescales, wanted)

    monkeypatch.setattr(k2_search, "_search_batch", limited)
    batch = [utterance(language, ["c", "c", "c"]), utterance(language, ["c"])]
    found = [one for (one,) in search_each(language[2], batch, Beams(max_active=1000), [None])]
    assert tried == [1000, 1000, 500, 250, 1000] and [one.narrowed for one in found] == [True, False]
    said = [outcome(Decoded(str(n), "", ["B"], [one]), language[0].words) for n, one in enumerate(found)]
    assert write_outcome(tmp_path, said, {})["narrowed"] == 1


def test_a_rescaled_lattice_gives_what_a_search_with_those_scales_gives(language, engine):
    _lexicon, tree, graph = language
    torch.manual_seed(3)
    posteriors = [torch.randn(n, tree.num_senones).log_softmax(1) for n in (7, 12, 9, 4)]
    log_priors = torch.randn(tree.num_senones).log_softmax(0)
    wide = Beams(search=1000.0, output=1000.0, max_active=100000)  # the lattice then holds every path
    first, others = (
        Scales(0.4, 0.6),
        [Scales(1.7, 0.0), Scales(3.0, 1.0), Scales(0.4, 0.6, 3.0), Scales(3.0, 1.0, -4.0)],
    )
    rescales = [None, *(Rescale.between(first, s, log_priors) for s in others)]
    found = search_each(graph, [first.scores(p, log_priors) for p in posteriors], wide, rescales, engine=engine)
    different = 0
    for column, scales in enumerate([first, *others]):
        dearer = with_word_cost(graph, scales.word)
        direct = search(dearer, [scales.scores(p, log_priors) for p in posteriors], wide, engine)
        assert [f[column].words for f in found] == [f.words for f in direct]
        different += sum(f[column].words != f[0].words for f in found)
    assert different  # else the scales made no difference, and nothing was tested
    said = [sum(len(f[column].words) for f in found) for column in range(len(rescales))]
    assert said[3] < said[0] and said[4] > said[2]  # dear words are fewer, cheap ones more


@pytest.mark.k2
def test_words_are_drawn_by_their_probability(language, engine):
    _lexicon, tree, graph = language
    torch.manual_seed(5)
    wide = Beams(search=1000.0, output=1000.0, max_active=100000)
    scores = [torch.randn(n, tree.num_senones) for n in (9, 13)]
    impossible = torch.full((4, tree.num_senones), -1e30)
    three = [scores[0], impossible, scores[1]]
    found = [one for (one,) in search_each(graph, three, wide, [None], Wanted(draws=4000), engine)]
    assert [len(f.drawn) for f in found] == [4000, 0, 4000]
    lattice = k2_search.lattices(graph, [scores[1], scores[0]], wide)
    shares = lattice.get_arc_post(use_double_scores=True, log_semiring=True).exp()
    counts = torch.tensor([len(words_of(graph, [label])) for label in lattice.aux_labels.tolist()])
    splits = lattice.arcs.shape().row_splits(2)[lattice.arcs.shape().row_splits(1).long()].tolist()
    for one, begin, end in zip((found[2], found[0]), splits, splits[1:]):
        expected = float((shares * counts)[begin:end].sum())
        assert sum(map(len, one.drawn)) / 4000 == pytest.approx(expected, abs=0.05)
    assert not search(graph, scores, wide, engine)[0].drawn
