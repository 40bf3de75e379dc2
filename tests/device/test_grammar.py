"""Of a file of sentences these are heard and nothing else, by the recipe's run-time and on a device alike."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tests.lang import toy
from tests.lang.enumeration import FRAMES, enumerated, through_graph
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.decode.recogniser import Recogniser as OurRecogniser
from understudy.device.confidence import misfit
from understudy.device.errors import DeviceError
from understudy.device.grammar import grammar_graph, read_grammar
from understudy.device.recogniser import Recogniser
from understudy.device.vocabulary import Vocabulary
from understudy.device.wishes import Wishes
from understudy.features import stack
from understudy.features.logmel import logmel
from understudy.lang.graph import words_of
from understudy.ship.folder import COMMAND, seal_folder
from understudy.step import UserError

ROOT = Path(__file__).parents[2]
LEXICON = toy.lexicon()
WORDS = Vocabulary(LEXICON.phones, LEXICON.words, LEXICON.pronunciations)


def written(folder: Path, text: str) -> Path:
    (folder / "commands.txt").write_text(text, encoding="utf-8")
    return folder / "commands.txt"


# --- what a file says --------------------------------------------------------------------------------------------


def said(acceptor) -> set[tuple[str, ...]]:
    """All sentences of an acceptor without loops."""
    found, todo = set(), [(0, ())]
    while todo:
        state, words = todo.pop()
        if state in acceptor.ends:
            found.add(words)
        todo += [(to, (*words, word) if word else words) for at, to, word in acceptor.arcs if at == state]
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A B\n\n  # nothing\nAB # the end\n", {"A B", "AB"}),
        ("[A] B", {"A B", "B"}),
        ("(A | AH B | AB) B", {"A B", "AH B B", "AB B"}),
        ("A | B B", {"A", "B B"}),
        ("A [B | AB] [AH]", {"A", "A B", "A AB", "A AH", "A B AH", "A AB AH"}),
        ("([A] B | [AH (AB | B)] A)[B]", {"B", "A B", "B B", "A B B", "A", "AH AB A", "AH B A"}
         | {"A B", "AH AB A B", "AH B A B"}),
    ],
)  # fmt: skip
def test_brackets_and_bars(tmp_path: Path, text: str, expected: set[str]) -> None:
    found = said(read_grammar(written(tmp_path, text), WORDS))
    assert {" ".join(words) for words in found} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\nB C", r"commands\.txt:2: C has no pronunciation in this folder\. Add it with --words"),
        ("ab B", r":1: ab has no pronunciation in this folder\. Is it AB.*\?"),
        ("\n# all\n", "no sentence in it"),
        ("[A] [B]", ":1: nothing of it has to be said"),
        ("A\nA ( | B)", ":2: nothing stands between brackets or bars"),
        ("A [] B", ":1: nothing stands between brackets or bars"),
        ("A |", ":1: nothing stands between brackets or bars"),
        ("A [B", r":1: the line ends before \]"),
        ("A (B]", r":1: \] without its partner"),
        ("A B)", r":1: \) without its partner"),
        ("(" * 20000 + "A" + ")" * 20000, ":1: brackets in 20000 others"),
    ],
)
def test_lines_that_are_no_sentences_are_named(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(DeviceError, match=expected) as error:
        read_grammar(written(tmp_path, text), WORDS)
    assert "commands.txt" in str(error.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "commands.txt").write_bytes("GRÜN".encode("latin-1"))
    with pytest.raises(DeviceError, match=r"not UTF-8 \(byte 2\)\. Convert it with iconv"):
        read_grammar(tmp_path / "commands.txt", WORDS)
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(DeviceError, match="cannot be read"):
            read_grammar(path, WORDS)


# --- its graph ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [False, True])
def test_a_graph_accepts_its_sentences_at_their_costs_and_nothing_else(tmp_path: Path, shared: bool) -> None:
    """Homophones, words that begin others, a sentence that two lines have."""
    tree = toy.ToyTree(shared)
    graph = grammar_graph(written(tmp_path, "[AH] (A | B) [AB]\nAH B\nAB\nB B\n"), WORDS, tree)
    found = through_graph(graph, lambda a: [LEXICON.words[i] for i in words_of(graph, a)])
    sentences = {(*ah, x, *ab) for ah, x, ab in itertools.product(((), ("AH",)), "AB", ((), ("AB",)))}
    expected = enumerated(LEXICON, tree, sentences | {("AB",), ("B", "B")}, False)
    assert found.keys() == expected.keys() and len({words for _, words in found}) > 5
    assert max(abs(found[k] - expected[k]) for k in expected) < 0.01  # minimisation rounds costs to 1/1024
    assert all(len(labels) <= FRAMES for labels, _ in found)


def test_many_optional_words_take_no_time(tmp_path: Path) -> None:
    """2 to the 60th sentences."""
    graph = grammar_graph(written(tmp_path, "A " + "[AB | B] " * 60), WORDS, toy.ToyTree(True))
    assert graph.states < 20000


# --- heard -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    toy_recogniser.ship(folder, "float32")
    return folder


SENTENCES = "A [B] B\nAB (A | B B B)\n"


@pytest.fixture(scope="module")
def commands(made: Path) -> Path:
    return written(made, SENTENCES)


def test_the_device_hears_what_the_recipe_hears(made: Path, commands: Path) -> None:
    ours, device = (
        OurRecogniser(made / "recogniser", wishes=Wishes(commands)),
        Recogniser(made / "float32", wishes=Wishes(commands)),
    )
    audio = [noise(seconds, seed) for seed, seconds in enumerate((0.6, 2.5, 4.0, 1.7, 3.1, 2.2))]
    expected = [[word.text for word in heard.words] for heard in ours.hear(audio)]
    assert [device.whole(samples).words for samples in audio] == expected
    sentences = said(read_grammar(commands, WORDS))
    assert {tuple(words) for words in expected} <= sentences and len({*map(tuple, expected)}) > 1
    for words in expected:
        assert device.graph.text([LEXICON.word_ids[word] for word in words]) == words


def test_commands_take_a_file(made: Path, commands: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", noise(2.5, 1), 16000, subtype="PCM_16")
    ours, sentences, texts = ("--recogniser", made / "recogniser"), said(read_grammar(commands, WORDS)), []
    for command, more, words in (
        (made / "float32" / COMMAND, ("--pause", 0), 3),
        (ROOT / "steps/transcribe.py", ours, 1),
        (ROOT / "steps/listen.py", (*ours, "--patience.pause", 0), 3),
    ):
        done = [
            subprocess.run(
                list(map(str, (sys.executable, command, tmp_path / "one.wav", *more, "--grammar", path))),
                capture_output=True, text=True, timeout=120, check=False,
            )
            for path in (commands, tmp_path / "none")
        ]  # fmt: skip
        assert [of.returncode for of in done] == [0, 1] and "none: cannot be read" in done[1].stderr, done[0].stderr
        texts.append(tuple(done[0].stdout.split()[words:]))
    assert texts[0] == texts[1] == texts[2] and texts[0] in sentences


def test_what_is_none_of_the_sentences_is_rejected_by_both(made: Path, commands: Path, tmp_path: Path) -> None:
    audio = [noise(seconds, seed) for seed, seconds in enumerate((2.5, 4.0, 1.7, 3.1, 2.2, 5.0))]
    open_ = OurRecogniser(made / "recogniser", wishes=Wishes(commands))
    assert any("will be taken for one" in told for told in open_.told)
    features = [torch.from_numpy(stack(open_.normaliser(logmel(samples)))) for samples in audio]
    apart = sorted(misfit(scores.numpy(), one.path, open_.silences) for one, scores in open_.search(features))
    most = (apart[2] + apart[3]) / 2
    shutil.copytree(made / "recogniser", tmp_path / "recogniser")
    shutil.copytree(made / "float32", tmp_path / "float32")
    for path in (tmp_path / "recogniser/recogniser.json", tmp_path / "float32/device.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"most_misfit": most}))
    ours = OurRecogniser(tmp_path / "recogniser", wishes=Wishes(commands))
    device = Recogniser(tmp_path / "float32", wishes=Wishes(commands))
    heard, theirs = ours.hear(audio, times=False), [device.whole(samples) for samples in audio]
    assert [one.why for one in theirs] == [one.why for one in heard] and not ours.told and not device.told
    assert sum(one.rejected for one in heard) == 3 and all(bool(one.words) != one.rejected for one in heard)
    assert all("it is none of the sentences (misfit" in one.why for one in heard if one.rejected)
    # Without a file of sentences it is no rule.
    assert not any(one.rejected for one in OurRecogniser(tmp_path / "recogniser").hear(audio, times=False))
    assert not any(Recogniser(tmp_path / "float32").whole(samples).rejected for samples in audio)


def test_folders_without_a_language_say_so(made: Path, commands: Path, tmp_path: Path) -> None:
    ours = OurRecogniser(made / "recogniser")
    other = Path(shutil.copytree(made / "float32", tmp_path / "other"))
    (other / "language.json").unlink()
    seal_folder(ours, other, language=False)
    assert Recogniser(other).whole(noise(1.0, 1)) == Recogniser(made / "float32").whole(noise(1.0, 1))
    with pytest.raises(DeviceError, match=r"no language\.json in it, which --grammar and --words need"):
        Recogniser(other, wishes=Wishes(commands))


def test_a_language_of_another_tree_or_none_is_refused(made: Path, commands: Path, tmp_path: Path) -> None:
    from understudy.device.files import seal

    other = Path(shutil.copytree(made / "float32", tmp_path / "other"))
    about, whole = json.loads((other / "device.json").read_text()), (other / "language.json").read_text()
    for text, told in (
        (json.dumps(json.loads(whole) | {"tree": "another"}), "of the tree another, the network is of"),
        (json.dumps(json.loads(whole) | {"pronunciations": {"C": ["1"]}}), "cannot be used .*'C'"),
        (json.dumps(json.loads(whole) | {"pronunciations": ["C"]}), "cannot be used"),
        (json.dumps(json.loads(whole) | {"roots": 7}), "cannot be used"),
        (whole[:-9], "cannot be used"), ("7", "cannot be used"),
    ):  # fmt: skip
        (other / "language.json").write_text(text)
        about["files"]["language.json"] = seal(other / "language.json")
        (other / "device.json").write_text(json.dumps(about))
        with pytest.raises(DeviceError, match=told) as error:
            Recogniser(other, wishes=Wishes(commands))
        assert str(other / "language.json") in str(error.value)
    with pytest.raises(UserError, match="cannot be read"):
        OurRecogniser(made / "recogniser", wishes=Wishes(tmp_path / "none"))


def test_a_thousand_sentences_are_ready_at_once(made: Path, tmp_path: Path) -> None:
    draw = random.Random(1)
    lines = (" ".join(draw.choices(LEXICON.vocabulary, k=draw.randint(2, 9))) for _ in range(1000))
    device = Recogniser(made / "float32", wishes=Wishes(written(tmp_path, "\n".join(lines))))
    assert np.isfinite(device.whole(noise(1.0, 1)).confidence)
