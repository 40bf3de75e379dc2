"""Words without pronunciation: stop, leave out or guess; more text for the n-gram."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from lhotse import CutSet

from understudy.corpus import Utterance, build_cut, read_cuts, write_cuts
from understudy.lang.g2p import MODEL, pronounce, train
from understudy.lang.lexicon import Lexicon
from understudy.lang.ngram import BackoffModel
from understudy.stage import UserError

ROOT = Path(__file__).parents[2]
SOUNDS = {
    "B": "b",
    "D": "d",
    "G": "g",
    "K": "k",
    "M": "m",
    "N": "n",
    "P": "p",
    "T": "t",
    "A": "aa",
    "I": "iy",
    "O": "ow",
}


def spelt(word: str) -> tuple[str, tuple[str, ...]]:
    return word, tuple(SOUNDS[letter] for letter in word)


def entries() -> list[tuple[str, tuple[str, ...]]]:
    """Four hundred words that are spelt as they are spoken, two to nine letters long."""
    draw = random.Random(1)
    words = {
        "".join(draw.choice("BDGKMNPT") + draw.choice("AIO") for _ in range(draw.randint(1, 4))) for _ in range(500)
    }
    return [spelt(word + draw.choice("BDGKMNPT")) for word in sorted(words)] + [
        spelt(w) for w in ("KIN", "DIG", "PAN", "PIT", "TIP")
    ]


def test_pronunciations_are_guessed_as_the_lexicon_spells(tmp_path):
    train([entry for entry in entries() if entry[0] not in ("BAT", "MODAGIN")], tmp_path / "model")
    assert pronounce(tmp_path / "model", ["MODAGIN", "BAT"]) == [spelt("BAT"), spelt("MODAGIN")]
    with pytest.raises(UserError, match="no pronunciation can be guessed for: ЖЖ"):
        pronounce(tmp_path / "model", ["BAT", "ЖЖ"])


@pytest.fixture
def folder(tmp_path):
    lines = [f"{word} {' '.join(phones)}\n" for word, phones in entries() if word != "BAT"]
    (tmp_path / "lexicon.txt").write_text("".join(lines))
    texts = {"labelled": ["KIN DIG", "BAT DIG", "PAN KIN"], "test": ["BAT PIT"]}
    for name, sentences in texts.items():
        speech = [Utterance(f"{name}{i}", tmp_path / "a.wav", t, "x", 16000, 16000) for i, t in enumerate(sentences)]
        write_cuts(tmp_path / f"{name}.jsonl.gz", map(build_cut, speech))
    return tmp_path


def make_lang(folder: Path, *more: str) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "steps/make_lang.py", "--lexicon", folder / "lexicon.txt", "--cuts"]
    command += [folder / "labelled.jsonl.gz", "--out", folder / "lang", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_fail_names_the_words_and_the_ways_out(folder):
    done = make_lang(folder)
    assert done.returncode == 1 and "BAT (1)" in done.stderr
    assert "--oov skip" in done.stderr and "--oov g2p" in done.stderr
    assert not (folder / "lang/lm.arpa").exists()


def test_skip_leaves_the_transcript_out_and_counts_it(folder):
    done = make_lang(folder, "--oov", "skip", "--extra_cuts", f"[{folder / 'test.jsonl.gz'}]")
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "lang/report.json").read_text())
    assert report["cuts"] == {"labelled": 3, "left_out": 1}
    assert "They stay in the set, and count as errors" in done.stderr
    assert "BAT" not in Lexicon.read(folder / "lang")


def test_copies_at_other_speeds_say_nothing_new(folder):
    assert make_lang(folder, "--oov", "skip").returncode == 0
    once = (folder / "lang/lm.arpa").read_text()
    cuts = list(read_cuts(folder / "labelled.jsonl.gz"))
    CutSet.from_cuts([*cuts, *(cut.perturb_speed(0.9) for cut in cuts)]).to_file(folder / "labelled.jsonl.gz")
    assert make_lang(folder, "--oov", "skip").returncode == 0
    assert json.loads((folder / "lang/report.json").read_text())["cuts"] == {"labelled": 3, "left_out": 1}
    assert (folder / "lang/lm.arpa").read_text() == once


def test_g2p_adds_labelled_words_only(folder):
    done = make_lang(folder, "--oov", "g2p", "--extra_cuts", f"[{folder / 'test.jsonl.gz'}]")
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "lang/report.json").read_text())["guessed"] == {"BAT": "b aa t"}
    lexicon = Lexicon.read(folder / "lang")
    assert [lexicon.phones[p] for p in lexicon.pronunciations["BAT"][0]] == ["b", "aa", "t"]
    assert pronounce(folder / "lang" / MODEL, ["BAT"]) == [("BAT", ("b", "aa", "t"))]  # for what is aligned later


def test_more_text_changes_the_model_and_unknown_words_in_it_are_counted(folder):
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\n")
    assert make_lang(folder).returncode == 0
    before = BackoffModel.read(folder / "lang/lm.arpa").log_prob("PIT", ["TIP"])
    (folder / "text.txt").write_text("TIP PIT\nTIP ZEBRA\n\nTIP PIT\n")
    done = make_lang(folder, "--text", str(folder / "text.txt"))
    assert done.returncode == 0 and "2 sentences; 1 left out" in done.stderr
    assert BackoffModel.read(folder / "lang/lm.arpa").log_prob("PIT", ["TIP"]) > before + 1
    (folder / "text.txt").write_text("tip pit\n")
    done = make_lang(folder, "--text", str(folder / "text.txt"))
    assert done.returncode == 1 and "no line has only words of the lexicon" in done.stderr


def test_general_english_is_mixed_in(folder):
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\nTHE dh ah\n")
    assert make_lang(folder).returncode == 0
    before = BackoffModel.read(folder / "lang/lm.arpa").log_prob("THE", [])
    done = make_lang(folder, "--english", "0.5")
    assert done.returncode == 0, done.stderr
    assert BackoffModel.read(folder / "lang/lm.arpa").log_prob("THE", []) > before + 1
    done = make_lang(folder, "--english", "1.5")
    assert done.returncode == 1 and "a share from 0 to below 1" in done.stderr
