"""Graphs against enumeration, and against posteriors that say exactly one sentence."""

import itertools
import math

import k2
import pytest
import torch
import toy

from understudy.align.graph import ENTRY_LOOP, alignment_graph
from understudy.align.viterbi import viterbi
from understudy.lang.graph import load_graph, save_graph, with_word_cost, word_counts, words_of
from understudy.lang.hclg import build_hclg
from understudy.stage import UserError

FRAMES = 4
HALF = math.log(2)


def unigrams_and_bigrams():
    uni, backoff, bi = {}, {}, {}
    for line in toy.ARPA.splitlines():
        fields = line.split("\t")
        if len(fields) < 2:
            continue
        words = fields[1].split()
        if len(words) == 2:
            bi[tuple(words)] = -float(fields[0]) * math.log(10)
        else:
            uni[words[0]] = -float(fields[0]) * math.log(10)
            backoff[words[0]] = -float(fields[2]) * math.log(10) if len(fields) > 2 else 0.0
    return uni, backoff, bi


def grammar_cost(words):
    """Best path through G: a back-off arc may be taken although the bigram exists."""
    uni, backoff, bi = unigrams_and_bigrams()
    total = 0.0
    for left, right in itertools.pairwise(["<s>", *words, "</s>"]):
        total += min(bi.get((left, right), math.inf), backoff[left] + uni[right])
    return total


def phone_strings(words, lexicon):
    """(phones, cost) with each choice of pronunciation and silence."""
    for prons in itertools.product(*(lexicon.pronunciations[w] for w in words)):
        for pauses in itertools.product((False, True), repeat=len(words) + 1):
            phones = [lexicon.silence] if pauses[0] else []
            for pron, pause in zip(prons, pauses[1:], strict=True):
                phones += [*pron, *([lexicon.silence] if pause else [])]
            yield phones, HALF * len(pauses)


def frame_labels(phones, tree):
    """Label sequences of at most FRAMES frames."""
    if len(phones) > FRAMES:
        return
    padded = [0, *phones, 0]
    for extra in itertools.product(range(FRAMES), repeat=len(phones)):
        if len(phones) + sum(extra) > FRAMES:
            continue
        labels = []
        for i, more in enumerate(extra):
            entry, loop = (tree.senone(*padded[i : i + 3], pdf) + 1 for pdf in (0, 1))
            labels += [entry] + [loop] * more
        yield tuple(labels)


def enumerated(lexicon, tree, transcripts, with_grammar):
    best = {}
    for words in transcripts:
        for phones, cost in phone_strings(words, lexicon):
            for labels in frame_labels(phones, tree):
                key = labels, words
                total = cost + HALF * len(labels) + (grammar_cost(words) if with_grammar else 0.0)
                best[key] = min(total, best.get(key, math.inf))
    return best


def through_graph(fsa, of):
    """Best cost of each (labels, words) of at most FRAMES frames that the graph accepts."""
    arcs, scores, aux = fsa.arcs.values()[:, :3].tolist(), fsa.scores.tolist(), fsa.aux_labels.tolist()
    out = {}
    for (s, d, label), score, word in zip(arcs, scores, aux, strict=True):
        out.setdefault(s, []).append((d, label, -score, tuple(of([word]))))
    best, active = {}, {(0, (), ()): 0.0}
    for _ in range(FRAMES + 1):
        following = {}
        for (state, labels, words), cost in active.items():
            for d, label, weight, word in out.get(state, ()):
                if label == -1:
                    table, key = best, (labels, words + word)
                else:
                    table, key = following, (d, (*labels, label), words + word)
                table[key] = min(cost + weight, table.get(key, math.inf))
        active = following
    return best


def all_transcripts(lexicon):
    return [w for n in range(FRAMES + 1) for w in itertools.product(lexicon.vocabulary, repeat=n)]


@pytest.mark.parametrize("shared", [False, True])
def test_hclg_equals_enumeration(tmp_path, shared):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared)
    fsa = build_hclg(lexicon, toy.write_arpa(tmp_path), tree)
    found = through_graph(fsa, lambda a: [lexicon.words[i] for i in words_of(fsa, a)])
    expected = enumerated(lexicon, tree, all_transcripts(lexicon), True)
    expected = {k: v for k, v in expected.items() if len(k[0]) > 0}
    found = {k: v for k, v in found.items() if len(k[0]) > 0}
    assert found.keys() == expected.keys()
    assert max(abs(found[k] - expected[k]) for k in expected) < 0.01  # minimisation rounds costs to 1/1024


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("words", [("A",), ("AB", "B"), ("B", "A", "B")])
def test_viterbi_alignment_equals_enumeration(words, shared):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared)
    pronunciations = [[list(p) for p in lexicon.pronunciations[w]] for w in words]
    graph = alignment_graph(pronunciations, lexicon.silence, ENTRY_LOOP, tree.senone)
    torch.manual_seed(0)
    score = torch.randn(FRAMES, tree.num_senones)
    path, best = viterbi([graph], [score])[0]
    every = [k[0] for k in enumerated(lexicon, tree, [words], False) if len(k[0]) == FRAMES]
    assert best == pytest.approx(max(sum(float(score[t, x - 1]) for t, x in enumerate(k)) for k in every), abs=1e-4)
    assert tuple(graph.labels[path] + 1) in set(every)


def posteriors(labels, senones):
    dense = torch.full((1, len(labels), senones + 1), -10.0)
    dense[:, :, 0] = -1e30
    for frame, label in enumerate(labels):
        dense[0, frame, label] = 0.0
    return k2.DenseFsaVec(dense, torch.tensor([[0, 0, len(labels)]], dtype=torch.int32))


def test_perfect_posteriors_decode_to_the_words(tmp_path):
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    save_graph(build_hclg(lexicon, toy.write_arpa(tmp_path), tree), tmp_path / "g.safetensors", "one")
    fsa = load_graph(tmp_path / "g.safetensors", "one")
    with pytest.raises(UserError, match=r"g\.safetensors: its senones are those of the tree one, the model's .* other"):
        load_graph(tmp_path / "g.safetensors", "other")
    phones = ["a", "b", "SIL", "b", "a", "b", "c"]  # AB B AB B
    padded = [0, *(lexicon.phone_ids[p] for p in phones), 0]
    labels = []
    for i in range(len(phones)):
        labels += [tree.senone(*padded[i : i + 3], min(f, 1)) + 1 for f in range(1 + i % 3)]
    lattice = k2.intersect_dense_pruned(
        k2.create_fsa_vec([fsa]), posteriors(labels, tree.num_senones), 20.0, 8.0, 30, 10000
    )
    best = k2.shortest_path(lattice, use_double_scores=True)
    words = [lexicon.words[i] for i in words_of(fsa, best[0].aux_labels.tolist())]
    assert words in (["AB", "B", "AB", "B"], ["A", "B", "B", "AB", "B"])
    assert best[0].labels.tolist()[:-1] == labels


def test_words_cost_more_wherever_they_stand(tmp_path):
    """Also on arcs that carry two."""
    fsa = build_hclg(toy.lexicon(), toy.write_arpa(tmp_path), toy.ToyTree(shared=False))
    counts, dearer = word_counts(fsa, fsa.aux_labels), with_word_cost(fsa, 1.5)
    expected = [len(words_of(fsa, [label])) for label in fsa.aux_labels.tolist()]
    assert counts.tolist() == expected and {0, 1} <= set(expected)
    assert torch.allclose(fsa.scores - dearer.scores, 1.5 * counts)
    assert dearer.word_sequences == fsa.word_sequences and with_word_cost(fsa, 0.0) is fsa
