"""Binary language models: the bits of one that is written here, the one that is carried, and damage."""

import math

import numpy as np
import pytest

from understudy.lang.general_lm import trigram_file
from understudy.lang.trie import read_trie
from understudy.step import UserError

WORDS = ["<s>", "</s>", "a", "b"]
# As the file has them, each from its last word back to its first; logarithms to the base 1.0001, back-offs.
PAIRS = [((1, 2), -7000.0, 0.0), ((2, 0), -1000.0, -300.0), ((2, 3), -2000.0, -400.0), ((3, 2), -3000.0, -500.0)]
TRIPLES = [((1, 2, 0), -10.0), ((2, 3, 2), -20.0), ((3, 2, 0), -30.0), ((3, 2, 3), -40.0)]


def packed(entries: list[list[tuple[int, int]]]) -> bytes:
    """Entries of (value, bits), the lowest bits first, and eight bytes."""
    number = begin = 0
    for value, bits in (field for entry in entries for field in entry):
        number |= value << begin
        begin += bits
    return number.to_bytes((begin + 7) // 8 + 8, "little")


def table(values: list[float]) -> bytes:
    return np.pad(np.array(values, "<f4"), (0, 65536 - len(values))).tobytes()


@pytest.fixture(params=[0, 2])
def path(request, tmp_path):
    """A model with room for a few more pairs than it has, or for no more, as the package's own has."""
    room = len(PAIRS) + request.param
    begins, longer = [0, 0, 1, 3, 4], [0, 1, 1, 2, 4]
    singles = np.zeros(5, np.dtype([("prob", "<f4"), ("backoff", "<f4"), ("next", "<u4")]))
    singles["prob"], singles["backoff"], singles["next"] = np.arange(-5, 0), np.arange(-10, -5), begins
    pairs = [[(p[0][1], 3), (i, 16), (i, 16), (longer[i], 3)] for i, p in enumerate(PAIRS)] + [
        [(0, 3), (0, 16), (0, 16), (longer[-1], 3)]
    ]
    pairs += [[(0, 38)]] * request.param
    triples = [[(t[0][2], 3), (i, 16)] for i, t in enumerate(TRIPLES)] + [[(0, 19)]]
    words = b"".join(word.encode() + b"\0" for word in WORDS)
    out = tmp_path / "toy.lm.bin"
    out.write_bytes(
        b"Trie Language Model\3"
        + np.array([4, room, len(TRIPLES)], "<u4").tobytes()
        + bytes(4)
        + table([p[1] for p in PAIRS])
        + table([p[2] for p in PAIRS])
        + table([t[1] for t in TRIPLES])
        + singles.tobytes()
        + packed(pairs)
        + packed(triples)
        + np.array([len(words)], "<u4").tobytes()
        + words
    )
    return out


def test_every_ngram_is_read_as_it_is_said(path):
    words, (single, pairs, triples) = read_trie(path)
    base = math.log(1.0001)
    assert words == WORDS
    np.testing.assert_allclose(single.log_probs, np.arange(-5, -1) * base)
    np.testing.assert_allclose(single.log_backoffs, np.arange(-10, -6) * base)
    assert pairs.words.tolist() == [[*reversed(p[0])] for p in PAIRS]
    np.testing.assert_allclose(pairs.log_probs, [p[1] * base for p in PAIRS])
    np.testing.assert_allclose(pairs.log_backoffs, [p[2] * base for p in PAIRS])
    assert triples.words.tolist() == [[*reversed(t[0])] for t in TRIPLES]
    np.testing.assert_allclose(triples.log_probs, [t[1] * base for t in TRIPLES])
    assert triples.log_backoffs is None


def test_general_english_sums_to_one():
    words, (single, pairs, triples) = read_trie(trigram_file())
    said = np.exp(single.log_probs)
    said[words.index("<s>")] = 0
    assert said.sum() == pytest.approx(1.0, abs=0.02)
    for ngrams in (pairs, triples):
        keys = ngrams.words[:, 0] if ngrams is pairs else ngrams.words[:, 0] * len(words) + ngrams.words[:, 1]
        _, history = np.unique(keys, return_inverse=True)
        assert np.bincount(history, np.exp(ngrams.log_probs)).max() < 1.01
    of = words.index("of")
    after = pairs.words[:, 0] == of
    best = pairs.words[after][np.argmax(pairs.log_probs[after])]
    assert [words[i] for i in best] == ["of", "the"]


@pytest.mark.parametrize("change", [lambda b: b"x" + b[1:], lambda b: b[:100], lambda b: b[:-9], lambda b: b""])
def test_another_or_a_damaged_file_is_refused_by_name(path, change):
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=r"toy\.lm\.bin: not a binary language model"):
        read_trie(path)
