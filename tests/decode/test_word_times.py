"""Times of words by alignment."""

import pytest
import torch
from tests.lang import toy

from understudy.decode.word_times import spans
from understudy.lang.phone_graph import phone_graph, word_of_node


def test_every_node_of_a_transcript_has_its_word():
    pronunciations = [[[2, 3], [4]], [[5]], [[2, 2, 2]]]
    phones, *_ = phone_graph(pronunciations, 1)
    owner = word_of_node(pronunciations)
    assert len(owner) == len(phones) and [p for p, w in zip(phones, owner) if w == -1] == [1] * 4
    for number, variants in enumerate(pronunciations):
        assert [p for p, w in zip(phones, owner) if w == number] == [p for variant in variants for p in variant]


def test_words_stand_where_they_were_said():
    lexicon, tree = toy.lexicon(), toy.ToyTree(shared=False)
    said = [("SIL", 3), ("c", 4), ("SIL", 2), ("c", 5), ("c", 2)]  # the toy's word B is the phone c
    padded = [0, *(lexicon.phone_ids[p] for p, _ in said), 0]
    scores = torch.full((sum(n for _, n in said), tree.num_senones), -9.0)
    frame = 0
    for i, (_, length) in enumerate(said):
        for k in range(length):
            scores[frame, tree.senone(*padded[i : i + 3], min(k, 1))] = 0.0
            frame += 1
    found = spans(["B", "B", "B"], scores, lexicon, tree)
    assert [t for span in found for t in span] == pytest.approx([0.09, 0.21, 0.27, 0.42, 0.42, 0.48])
    assert spans([], scores, lexicon, tree) == []
    assert spans(["B"] * 20, scores, lexicon, tree) == [(0.0, 0.0)] * 20  # more phones than frames
