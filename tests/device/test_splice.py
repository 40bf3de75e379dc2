"""Words set into a graph's places: what is accepted then, and at which cost, is what a graph made with them accepts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tests.lang import toy
from tests.lang.enumeration import columns, through_graph

from understudy.decode.numpy_search import lattice
from understudy.decode.options import Beams
from understudy.device.errors import DeviceError
from understudy.device.places import NEW, Places, is_class
from understudy.device.splice import Spoken, splice
from understudy.lang.graph import with_word_cost, words_of
from understudy.lang.hclg import build_hclg, build_with_places, classes_of
from understudy.lang.lexicon import Lexicon

torch = pytest.importorskip("torch")
CONTACT, ROOM = "<contact>", "<room>"
ARPA = """
\\data\\
ngram 1=7
ngram 2=9

\\1-grams:
-0.60\t</s>
-99\t<s>\t-0.30
-0.80\tA\t-0.25
-0.90\tAH\t-0.10
-0.70\tAB\t-0.40
-1.20\t<contact>\t-0.35
-1.30\t<room>

\\2-grams:
-0.40\t<s> A
-0.30\tA <contact>
-0.90\tA </s>
-0.20\tAB AB
-0.50\tAH </s>
-0.25\t<contact> AB
-0.45\t<contact> </s>
-0.15\tAH <room>
-0.35\t<contact> <contact>

\\end\\
"""
NEW_LOG10 = -1.1
ENTRIES = [("A", ("a",)), ("AH", ("a",)), ("AB", ("a", "b")), ("AB", ("b", "c"))]
LEXICON = Lexicon.from_entries(ENTRIES)
WORDS = {  # of two and three phones, several pronunciations, homophones, one that begins another
    CONTACT: [
        ("BA", "b a", 1.0), ("BAC", "b a c", 0.5), ("CAB", "c a b", 2.0), ("CAB", "c b", 1.0), ("BAH", "b a", 4.0),
    ],
    ROOM: [("BACA", "b a c a", 1.0)],
    NEW: [("AC", "a c", 1.0), ("AB", "a b b", 1.0)],
}  # fmt: skip
FRAMES = 5


def shares(words: dict) -> dict:
    """The cost of each in its class."""
    return {name: [-math.log(one[2] / sum(other[2] for other in of)) for one in of] for name, of in words.items()}


def from_scratch(folder: Path, words: dict, tree):
    """The graph of a lexicon and a language model that have the words; each pronunciation is a word there."""
    named = {name: [f"{word}~{name[1]}{n}" for n, (word, *_) in enumerate(of)] for name, of in words.items()}
    entries = [(own, tuple(one[1].split())) for name, of in words.items() for own, one in zip(named[name], of)]
    costs, ngrams = shares(words), {1: [], 2: []}
    for line in [*ARPA.splitlines(), f"{NEW_LOG10}\t{NEW}"]:
        score, *rest = line.split("\t")
        if not rest:
            continue
        ways = [(float(score), [])]
        for place, one in enumerate(rest[0].split()):
            last = place == len(rest[0].split()) - 1
            said = [(one, 0.0)] if not is_class(one) else zip(named.get(one, ()), costs.get(one, ()))
            said = list(said)
            ways = [(s - last * cost / math.log(10), [*w, own]) for s, w in ways for own, cost in said]
        ngrams[len(rest[0].split())] += ["\t".join([f"{s:.9f}", " ".join(w), *rest[1:]]) for s, w in ways]
    body = "".join(f"\n\\{n}-grams:\n" + "\n".join(of) + "\n" for n, of in ngrams.items())
    counts = "".join(f"ngram {n}={len(of)}\n" for n, of in ngrams.items())
    (folder / "whole.arpa").write_text(f"\n\\data\\\n{counts}{body}\n\\end\\\n")
    lexicon = Lexicon.from_entries([*ENTRIES, *entries])
    assert lexicon.phones == LEXICON.phones
    return lexicon, build_hclg(lexicon, folder / "whole.arpa", tree)


def with_places(folder: Path, tree):
    (folder / "lm.arpa").write_text(ARPA)
    return build_with_places(LEXICON, folder / "lm.arpa", tree, new=10**NEW_LOG10)[:2]


def spoken(words: dict) -> tuple[dict[str, list[Spoken]], list[str]]:
    """As the graph wants them, and all words by number."""
    names, costs = list(LEXICON.words), shares(words)
    for of in words.values():
        names += [word for word in dict.fromkeys(one[0] for one in of) if word not in names]
    found = {
        name: [
            Spoken(names.index(word), tuple(LEXICON.phone_ids[p] for p in phones.split()), cost)
            for (word, phones, _), cost in zip(of, costs[name])
        ]
        for name, of in words.items()
    }
    return found, names


@pytest.mark.parametrize(("shared", "right"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("classes", [(CONTACT, ROOM, NEW), (CONTACT,), (NEW,), (ROOM, NEW), ()])
def test_a_graph_with_words_is_the_one_made_with_them(
    tmp_path: Path, shared: bool, right: bool, classes: tuple[str, ...]
) -> None:
    """All that it accepts in five frames, and the least cost of each. Only some classes may have words."""
    words, tree = {name: WORDS[name] for name in classes}, toy.ToyTree(shared, right)
    graph, places = with_places(tmp_path, tree)
    of, names = spoken(words)
    ours = splice(graph, places, of, tree)
    lexicon, whole = from_scratch(tmp_path, words, tree)
    found = through_graph(ours, lambda a: [names[i] for i in words_of(ours, a)], FRAMES)
    expected = through_graph(whole, lambda a: [lexicon.words[i].split("~")[0] for i in words_of(whole, a)], FRAMES)
    assert found.keys() == expected.keys()
    assert max(abs(found[k] - expected[k]) for k in expected) < 0.01  # minimisation rounds costs to 1/1024
    heard = {word for _, said in found for word in said}
    assert {one[0] for name in classes for one in WORDS[name]} <= heard


@pytest.mark.parametrize("shared", [False, True])
def test_long_random_speech_is_heard_as_by_the_graph_made_with_them(tmp_path: Path, shared: bool) -> None:
    """Score and words of the best path, with beams that lose nothing."""
    tree, rng = toy.ToyTree(shared), np.random.default_rng(3)
    graph, places = with_places(tmp_path, tree)
    of, names = spoken(WORDS)
    ours = splice(graph, places, of, tree)
    lexicon, whole = from_scratch(tmp_path, WORDS, tree)
    added = 0
    for frames in (7, 23, 40, 61):
        scores, best = torch.from_numpy(rng.normal(0, 3, (frames, tree.num_senones)).astype(np.float32)), []
        for one, read in ((ours, names.__getitem__), (whole, lambda i: lexicon.words[i].split("~")[0])):
            found = lattice(one, scores, Beams(1e4, 1e4, 30, 10**6))
            ((path, score),) = found.best((found.graph + found.acoustic)[None])
            best.append(([read(i) for i in words_of(one, found.outputs[path].tolist())], score))
        assert best[0][0] == best[1][0] and best[0][1] == pytest.approx(best[1][1], abs=0.05)
        added += len(set(best[0][0]) - {word for word, _ in ENTRIES})
    assert added > 4


def test_without_words_the_graph_is_the_one_without_places(tmp_path: Path) -> None:
    tree = toy.ToyTree(shared=False)
    graph, places = with_places(tmp_path, tree)
    _, plain = from_scratch(tmp_path, {}, tree)
    told = [
        through_graph(one, lambda a, one=one: [LEXICON.words[i] for i in words_of(one, a)], FRAMES)
        for one in (graph, plain)
    ]
    assert told[0] == pytest.approx(told[1], abs=1e-5)
    assert places.states == graph.states - 1 and sorted(places.names) == sorted([CONTACT, ROOM, NEW])
    assert graph.sequence_base == len(LEXICON.words)


def test_a_word_that_is_set_in_costs_what_words_cost(tmp_path: Path) -> None:
    """On a device the costs of words are in graph and places already."""
    tree = toy.ToyTree(shared=True)
    graph, places = with_places(tmp_path, tree)
    of, _ = spoken(WORDS)
    one = with_word_cost(splice(graph, places, of, tree), 1.5)
    other = splice(with_word_cost(graph, 1.5), places.dearer(1.5), of, tree)
    told = [through_graph(g, lambda a, g=g: words_of(g, a), 4) for g in (one, other)]
    assert told[0] == pytest.approx(told[1], abs=1e-4) and len(told[0]) > 100


def test_places_are_read_as_they_were_written(tmp_path: Path) -> None:
    tree = toy.ToyTree(shared=False)
    graph, places = with_places(tmp_path, tree)
    places.save(tmp_path / "places.npz")
    of, _ = spoken(WORDS)
    one, other = (splice(graph, p, of, tree) for p in (places, Places.read(tmp_path / "places.npz")))
    for ours, theirs in zip(columns(one), columns(other), strict=True):
        assert np.array_equal(ours, theirs)
    assert one.word_sequences == other.word_sequences
    whole = (tmp_path / "places.npz").read_bytes()
    for damaged in (b"", whole[:-30], b"?" * 99):
        (tmp_path / "places.npz").write_bytes(damaged)
        with pytest.raises(DeviceError, match=r"places\.npz: no places of a graph"):
            Places.read(tmp_path / "places.npz")


def test_classes_are_what_stands_in_angles(tmp_path: Path) -> None:
    (tmp_path / "lm.arpa").write_text(ARPA.replace("-0.90\tAH\t", "-0.90\t<unk>\t"))
    assert classes_of(tmp_path / "lm.arpa") == [CONTACT, ROOM]
    assert not any(map(is_class, ("<s>", "</s>", "<unk>", "<UNK>", "<>", "A", "<a b>"))) and is_class("<new-word>")
