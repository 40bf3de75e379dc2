"""Search: exact words, retries counted, nothing lost silently."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "lang"))
import toy

from understudy.decode import search as module
from understudy.decode.search import Beams, search
from understudy.lang.graph import build_hclg


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


def test_words_in_the_order_given(language):
    lexicon, _, graph = language
    batch = [utterance(language, p) for p in (["c"], ["SIL", "c", "SIL", "c"], ["c", "c", "c"])]
    found = search(graph, batch)
    assert [[lexicon.words[w] for w in f.words] for f in found] == [["B"], ["B", "B"], ["B", "B", "B"]]
    assert not any(f.retried or f.empty for f in found)


def test_an_empty_lattice_is_retried_then_counted(language):
    graph = language[2]
    impossible = torch.full((5, language[1].num_senones), -1e30)
    narrow = Beams(search=0.01, output=0.01, min_active=1, max_active=2)
    good = utterance(language, ["c", "SIL", "c"])
    found = search(graph, [good, impossible, torch.zeros(0, language[1].num_senones)], narrow)
    assert found[2].empty and not found[2].words
    assert found[0].words or (found[0].retried and found[0].empty)


def test_retry_uses_wider_beams(language, monkeypatch):
    tried = []

    def fake(graph, utterances, beams):
        tried.append((len(utterances), beams.search, beams.max_active))
        return [[1] if len(u) < 2 * len(tried) else None for u in utterances]

    monkeypatch.setattr(module, "_search", fake)
    found = search(None, [torch.zeros(n, 3) for n in (1, 3, 9)], Beams(search=10.0, max_active=100))
    assert tried == [(3, 10.0, 100), (2, 20.0, 200), (1, 40.0, 400)]
    assert [(f.retried, f.empty) for f in found] == [(False, False), (True, False), (True, True)]


def test_out_of_memory_halves_the_batch(language, monkeypatch):
    sizes, whole = [], module._search_batch

    def limited(graph, utterances, beams):
        sizes.append(len(utterances))
        if len(utterances) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return whole(graph, utterances, beams)

    monkeypatch.setattr(module, "_search_batch", limited)
    found = search(language[2], [utterance(language, ["c"])] * 3)
    assert sizes == [3, 1, 2, 1, 1] and all(len(f.words) == 1 for f in found)
