"""Words of a user's file: read, guessed, refused, and heard by the recipe's run-time and on a device alike."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.lang import toy
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.decode.recogniser import Recogniser as OurRecogniser
from understudy.device.errors import DeviceError
from understudy.device.files import seal
from understudy.device.g2p import Guesser
from understudy.device.places import NEW, Places
from understudy.device.recogniser import Recogniser
from understudy.device.vocabulary import Vocabulary
from understudy.device.wishes import Wishes
from understudy.device.words import read_words
from understudy.ship.folder import COMMAND
from understudy.step import UserError

ROOT = Path(__file__).parents[2]
LEXICON = toy.lexicon()
WORDS = Vocabulary(LEXICON.phones, LEXICON.words, LEXICON.pronunciations)
PLACES = (NEW, "<contact>")


def written(folder: Path, text: str) -> Path:
    (folder / "names.txt").write_text(text, encoding="utf-8")
    return folder / "names.txt"


def guess(word: str) -> tuple[str, ...] | None:
    """A letter each, of those that are phones."""
    return tuple(word.lower()) if set(word.lower()) <= {"a", "b", "c"} else None


# --- what a file says --------------------------------------------------------------------------------------------


def test_words_with_phones_and_weights_in_their_places(tmp_path: Path) -> None:
    text = "CAB c a b weight=3 # a car\nBAC\n\nCAB c b\nAB\n<contact>\nBAC b a c weight=.5\nAB\n"
    added = read_words(written(tmp_path, text), WORDS, PLACES, guess)
    words, phones = added.vocabulary.words, added.vocabulary.phones
    told = {
        place: [(words[one.word], " ".join(phones[p] for p in one.phones), math.exp(-one.cost)) for one in of]
        for place, of in added.spoken.items()
    }
    expected = [("CAB", "c a b", 0.5), ("BAC", "b a c", 1 / 6), ("CAB", "c b", 1 / 6), ("AB", "a b", 1 / 6)]
    assert told[NEW] == [(word, phones, pytest.approx(share)) for word, phones, share in expected]
    assert told["<contact>"] == [("BAC", "b a c", pytest.approx(1 / 3)), ("AB", "a b", pytest.approx(2 / 3))]
    assert words == [*LEXICON.words, "CAB", "BAC"] and added.guessed == [("BAC", ("b", "a", "c"))]
    assert {"CAB", "BAC"} | set(LEXICON.vocabulary) == set(added.vocabulary.pronunciations)
    assert added.told() == ["guessed how 1 word may be said: BAC (b a c)"]


def test_all_words_of_a_place_may_be_likelier(tmp_path: Path) -> None:
    text = "<new> weight=5\nCAB\nBAC weight=3\n<contact>\nABA\n"
    added = read_words(written(tmp_path, text), WORDS, PLACES, guess)
    told = {place: [math.exp(-one.cost) for one in of] for place, of in added.spoken.items()}
    assert told == {NEW: pytest.approx([1.25, 3.75]), "<contact>": pytest.approx([1.0])}


def test_doubled_lines_count_once_and_are_said(tmp_path: Path) -> None:
    added = read_words(written(tmp_path, "CAB c a b\nBAC\nCAB c a b\nBAC\nCAB c b\n"), WORDS, PLACES, guess)
    assert [len(one.phones) for one in added.spoken[NEW]] == [3, 3, 2]
    assert re.search(r"names\.txt:3: as an earlier line, and counts once; 2 such lines in all", added.told()[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAB c a b\nZAB z a b", r"names\.txt:2: ZAB: z is no phone of this folder\. It has a b c\."),
        ("CAB c SIL b", ":1: CAB: SIL is no phone of this folder"),
        ("CAB <eps> c", ":1: CAB: <eps> is no phone of this folder"),
        ("C", ":1: C has one phone. A word that is added has 2 or more"),
        ("A", ":1: A has one phone"),
        ("\n # none\n", "no words in it"),
        ("BAC\nЖАН\nSIX\n", r":2: no pronunciation can be guessed for ЖАН SIX: .* Write the phones after each word"),
        ("<room>\nBAC", ":1: the graph has no place <room>; it has <contact> <new>"),
        ("<contact> BAC", ":1: <contact> is the name of a place: nothing but a weight stands on its line"),
        ("#0\n#0 a b\n<s> a b", ":3: <s> is reserved"),
        ("CAB c a b weight=0", ":1: a word has one weight above 0, got weight=0|got 0"),
        ("CAB c a b weight=many", "one weight above 0, got many"),
        ("CAB weight=1 weight=2", "one weight above 0, got 1 2"),
        ("CAB weight=nan", "one weight above 0"),
        ("weight=2", ":1: an empty word"),
        ("CAB\n\u200b c a b", ":2: an empty word"),
    ],
)
def test_lines_that_are_no_words_are_named(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(DeviceError, match=expected) as error:
        read_words(written(tmp_path, text), WORDS, PLACES, guess)
    assert "names.txt" in str(error.value)


def test_words_of_another_alphabet_are_heard_with_their_phones(tmp_path: Path) -> None:
    added = read_words(written(tmp_path, "ЖАН c a b\n"), WORDS, PLACES, guess)
    assert added.vocabulary.words[-1] == "ЖАН" and added.told() == []


def test_a_graph_that_has_classes_alone_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"no place for words anywhere; it has <contact>\. Name one on a line before"):
        read_words(written(tmp_path, "CAB\n"), WORDS, ("<contact>",), guess)
    assert read_words(written(tmp_path, "<contact>\nCAB\n"), WORDS, ("<contact>",), guess).spoken.keys() == {
        "<contact>"
    }


# --- heard -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    toy_recogniser.ship(folder, "float32")
    return folder


@pytest.fixture(scope="module")
def names(made: Path) -> Path:
    return written(made, "CAB c a b weight=9\nBAC b a c\nCC c c weight=30\n")


AUDIO = [noise(seconds, seed) for seed, seconds in enumerate((0.6, 2.5, 4.0, 1.7, 3.1, 2.2))]


def test_the_device_hears_what_the_recipe_hears(made: Path, names: Path) -> None:
    ours = OurRecogniser(made / "recogniser", wishes=Wishes(words=names))
    device = Recogniser(made / "float32", wishes=Wishes(words=names))
    heard = ours.hear(AUDIO)
    expected = [[word.text for word in one.words] for one in heard]
    assert [device.whole(samples).words for samples in AUDIO] == expected
    assert {"CAB", "BAC", "CC"} & {word for words in expected for word in words}
    added = [word for one in heard for word in one.words if word.text in ("CAB", "BAC", "CC")]
    assert all(word.end > word.start and 0 < word.confidence <= 1 for word in added)
    without = [[word.text for word in one.words] for one in OurRecogniser(made / "recogniser").hear(AUDIO, times=False)]
    assert without != expected and not {"CAB", "BAC", "CC"} & {word for words in without for word in words}


def test_sentences_have_the_words_too_and_their_classes(made: Path, tmp_path: Path) -> None:
    (tmp_path / "commands.txt").write_text("A <contact>\n<contact> CAB\n")
    wishes = Wishes(tmp_path / "commands.txt", written(tmp_path, "CAB c a b\n<contact>\nBAC b a c\nCC c c\n"))
    ours, device = OurRecogniser(made / "recogniser", wishes=wishes), Recogniser(made / "float32", wishes=wishes)
    expected = [tuple(word.text for word in one.words) for one in ours.hear(AUDIO, times=False)]
    assert [tuple(device.whole(samples).words) for samples in AUDIO] == expected
    assert set(expected) <= {
        (*a, *b) for a, b in (("A", ["BAC"]), ("A", ["CC"]), (["BAC"], ["CAB"]), (["CC"], ["CAB"]))
    }
    with pytest.raises(DeviceError, match=r":1: <contact> is no class of --words\. Add it with --words"):
        Recogniser(made / "float32", wishes=Wishes(tmp_path / "commands.txt"))


def test_commands_take_a_file_and_say_what_they_guess(made: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", noise(2.5, 1), 16000, subtype="PCM_16")
    names = written(tmp_path, "CAB c a b weight=9\nCAB c a b\n")
    for command, more in (
        (made / "float32" / COMMAND, ()),
        (ROOT / "steps/transcribe.py", ("--recogniser", made / "recogniser")),
    ):
        whole = [sys.executable, command, tmp_path / "one.wav", *more, "--words", names]
        done = subprocess.run(list(map(str, whole)), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 and "names.txt:2: as an earlier line" in done.stderr, done.stderr


def test_folders_of_two_makes_and_without_places_say_so(made: Path, names: Path, tmp_path: Path) -> None:
    wishes = Wishes(words=names)
    other = Path(shutil.copytree(made / "recogniser", tmp_path / "recogniser"))
    of = Places.read(other / "places.npz")
    Places(of.names, of.states + 1, of.marks, of.table, of.costs, of.ends, of.end_costs, of.said).save(
        other / "places.npz"
    )
    with pytest.raises(UserError, match=r"the places are of a graph of \d+ states, this one has \d+"):
        OurRecogniser(other, wishes=wishes)
    (other / "places.npz").unlink()
    with pytest.raises(UserError, match=r"no places\.npz in it, which --words needs"):
        OurRecogniser(other, wishes=wishes)
    device = Path(shutil.copytree(made / "float32", tmp_path / "device"))
    about = json.loads((device / "device.json").read_text())
    del about["files"]["places.npz"]
    (device / "device.json").write_text(json.dumps(about))
    with pytest.raises(DeviceError, match=r"no places\.npz in it, which --words needs"):
        Recogniser(device, wishes=wishes)
    (device / "places.npz").write_bytes(b"?")
    about["files"]["places.npz"] = seal(device / "places.npz")
    (device / "device.json").write_text(json.dumps(about))
    with pytest.raises(DeviceError, match=r"places\.npz: no places of a graph"):
        Recogniser(device, wishes=wishes)


# --- guessed -----------------------------------------------------------------------------------------------------


def test_guesses_are_those_of_phonetisaurus(tmp_path: Path) -> None:
    g2p = pytest.importorskip("understudy.lang.g2p")
    rng = np.random.default_rng(1)
    entries = []
    # Of its own: "c" is k before a, o, u, "x" is two phones, the last "e" is silent, and so is an underscore.
    for _ in range(400):
        word = "".join(rng.choice(list("abcdeouxt|_"), rng.integers(2, 9)))
        said = re.sub("e$", "", re.sub("c(?=[aou])", "k", word)).replace("x", "ks").replace("|", "l").replace("_", "")
        if said:
            entries.append((word, tuple(said)))
    with (tmp_path / "lexicon.txt").open("w") as file:
        file.writelines(f"{word} {' '.join(phones)}\n" for word, phones in entries)
    g2p.train(entries, tmp_path / "g2p.fst")
    g2p.guesser_of(tmp_path / "lexicon.txt").save(tmp_path / "g2p.npz")
    guesser = Guesser.read(tmp_path / "g2p.npz")
    asked = ["".join(rng.choice(list("abcdeouxt|_"), rng.integers(1, 11))) for _ in range(100)]
    expected = g2p.guess(tmp_path / "g2p.fst", asked)
    found = {word: guesser(word) for word in asked}
    assert {word: phones for word, phones in found.items() if phones} == expected and len(expected) > 90
    assert guesser("z") is None and guesser("") is None and guesser("az") is None and guesser("za") is None
    (tmp_path / "g2p.npz").write_bytes(b"?")
    with pytest.raises(DeviceError, match=r"g2p\.npz: cannot be used to guess"):
        Guesser.read(tmp_path / "g2p.npz")
