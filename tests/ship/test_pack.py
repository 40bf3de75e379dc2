"""A recogniser is made of parts that belong together, and of no others."""

import itertools
from dataclasses import replace

import pytest
from tests.ship import toy_recogniser

from understudy import models
from understudy.decode.options import Beams
from understudy.decode.pack import learn_to_guess
from understudy.decode.recogniser import Recogniser, about, pack
from understudy.device.g2p import Guesser
from understudy.lang.lexicon import Lexicon, write_entries
from understudy.step import UserError


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    toy_recogniser.make(folder)
    return folder


def packed(parts, out, **other):
    names = {"model": parts, "graph": parts, "tree": parts / "tree.json", "normaliser": parts / "normaliser.json"}
    pack(**(names | other), about=Recogniser(parts).about, out=out)


def test_what_belongs_together_recognises_alike(parts, tmp_path):
    packed(parts, tmp_path)
    noise = toy_recogniser.noise(2.0, 1)
    assert Recogniser(tmp_path).hear([noise]) == Recogniser(parts).hear([noise])


def test_what_users_words_need_goes_along(parts, tmp_path):
    """Places where the graph has some, and a model of letters and phones where the lexicon is not too small for one."""
    packed(parts, tmp_path)
    assert (tmp_path / "places.npz").read_bytes() == (parts / "places.npz").read_bytes()
    words = ["".join(letters) for n in (2, 3, 4) for letters in itertools.product("ABC", repeat=n)]
    write_entries([(word, tuple(word.lower())) for word in words], tmp_path / "lexicon.txt")
    Lexicon.read(tmp_path / "lexicon.txt").write(tmp_path)
    learn_to_guess(tmp_path)
    assert not (tmp_path / "g2p.npz").exists()  # words are spelled
    write_entries([(word, tuple(word.lower().replace("c", "k"))) for word in words], tmp_path / "lexicon.txt")
    Lexicon.read(tmp_path / "lexicon.txt").write(tmp_path)
    learn_to_guess(tmp_path)
    assert Guesser.read(tmp_path / "g2p.npz")("CABAC") == tuple("kabak")


def test_what_a_decoding_tuned_goes_along_and_its_rates_if_they_are_the_models():
    rates = {"wer": 5.0, "wer_low": 4.0, "wer_high": 6.0, "errors": 5, "words": 100, "utterances": 9}
    scored = {"acoustic_scale": 0.3, "prior_scale": 0.5, "normalise": ["case"], "model": "ours", **rates}
    known = about(scored, Beams(), "student", "ours")
    assert (known["acoustic_scale"], known["normalise"], known["tested"]) == (0.3, ["case"], rates)
    assert about(scored, Beams(), "student", "theirs")["tested"] is None


def test_parts_of_another_tree_are_refused_with_both(parts, tmp_path):
    own = Recogniser(parts).tree
    # As many senones, but others.
    other = replace(own, nodes={name: own.num_senones - 1 - leaf for name, leaf in own.nodes.items()})
    other.save(tmp_path / "tree.json")
    with pytest.raises(UserError, match=f"senones of the tree {own.fingerprint}, .* has {other.fingerprint}"):
        packed(parts, tmp_path / "out", tree=tmp_path / "tree.json")
    model = models.load(parts)
    model.meta["tree"] = other.fingerprint
    models.save(model, tmp_path)
    with pytest.raises(UserError, match=f"of the tree {own.fingerprint}, the model's are those of {other.fingerprint}"):
        packed(parts, tmp_path / "out", model=tmp_path, tree=tmp_path / "tree.json")
