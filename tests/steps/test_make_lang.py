"""Words without pronunciation: stop, leave out or guess; more text for the n-gram."""

import importlib.util
import io
import json
import logging
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from lhotse import CutSet

from understudy.corpus import Utterance, build_cut, read_cuts, write_cuts
from understudy.lang.g2p import MODEL, pronounce, train
from understudy.lang.hclg import _grammar_fst, classes_of
from understudy.lang.lexicon import Lexicon
from understudy.lang.ngram import BackoffModel, estimate
from understudy.lang.options import LangOptions
from understudy.step import UserError, log
from understudy.step.options import parse

_SPEC = importlib.util.spec_from_file_location("make_lang", Path(__file__).parents[2] / "steps/make_lang.py")
STEP = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(STEP)
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


def test_phones_and_words_may_have_the_characters_of_the_package(tmp_path):
    def other(phone: str) -> str:
        return phone.replace("aa", "a_").replace("b", "b|").replace("ow", "}o")

    given = [(word, tuple(map(other, phones))) for word, phones in entries() if word != "BAT"]
    train([*given, ("A_B", ("a_", "b|"))], tmp_path / "model")
    assert pronounce(tmp_path / "model", ["BAT"]) == [("BAT", ("b|", "a_", "t"))]


@pytest.fixture
def folder(tmp_path):
    lines = [f"{word} {' '.join(phones)}\n" for word, phones in entries() if word != "BAT"]
    (tmp_path / "lexicon.txt").write_text("".join(lines))
    texts = {"labelled": ["KIN DIG", "BAT DIG", "PAN KIN"], "test": ["BAT PIT"]}
    for name, sentences in texts.items():
        speech = [Utterance(f"{name}{i}", tmp_path / "a.wav", t, "x", 16000, 16000) for i, t in enumerate(sentences)]
        write_cuts(tmp_path / f"{name}.jsonl.gz", map(build_cut, speech))
    return tmp_path


def make_lang(folder: Path, *more: str) -> SimpleNamespace:
    """The step without its process: what it tells, and whether it fails."""
    command = ["--lexicon", folder / "lexicon.txt", "--cuts", folder / "labelled.jsonl.gz", "--out", folder / "lang"]
    told, status = io.StringIO(), 0
    handler, level = logging.StreamHandler(told), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        options = parse(LangOptions, STEP.__doc__, [*map(str, command), *more])
        STEP.run(options, SimpleNamespace(out=folder / "lang"))
    except UserError as error:
        told.write(str(error))
        status = 1
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
    return SimpleNamespace(stderr=told.getvalue(), returncode=status)


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
    assert report["unknown_words"] == {"labelled": {"words": 6, "unknown": 1, "percent": 16.67},
                                       "test": {"words": 2, "unknown": 1, "percent": 50.0}}  # fmt: skip
    assert (
        report["perplexity"].keys() == {"labelled", "test"} and "test: 1 of 2 words (50.0 %) are unknown" in done.stderr
    )
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
    assert done.returncode == 0 and "have no pronunciation: ZEBRA (1)" in done.stderr
    assert BackoffModel.read(folder / "lang/lm.arpa").log_prob("PIT", ["TIP"]) > before + 1
    (folder / "text.txt").write_text("tip pit\n")
    done = make_lang(folder, "--text", str(folder / "text.txt"))
    assert done.returncode == 1 and "it has no word of the lexicon" in done.stderr


def test_one_unknown_word_does_not_lose_its_sentence(folder):
    """The other words are counted with what they follow, as a model of another make counts them."""
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\n")
    text = ["TIP ZEBRA PIT", "ZEBRA TIP PIT", "TIP PIT"]
    (folder / "text.txt").write_text("".join(f"{line}\n" for line in text))
    assert make_lang(folder, "--text", str(folder / "text.txt")).returncode == 0
    report, model = json.loads((folder / "lang/report.json").read_text()), BackoffModel.read(folder / "lang/lm.arpa")
    assert report["text"] == {"sentences": 6, "in_transcripts_and_text": 0, "words": 14, "unknown": 2}
    sentences = [line.replace("ZEBRA", "<unk>").split() for line in ["KIN DIG", "BAT DIG", "PAN KIN", *text]]
    lexicon = Lexicon.read(folder / "lang")
    expected = estimate(sentences, [*lexicon.vocabulary, "<unk>"], 3)
    assert model.log_probs == pytest.approx(expected.log_probs, abs=1e-5)
    assert "<unk>" not in lexicon and "ZEBRA" not in lexicon
    symbols = _grammar_fst(lexicon, folder / "lang/lm.arpa").to_str().split()
    assert str(lexicon.word_ids["PIT"]) in symbols  # the graph goes without the unknown word, and with the others


def test_words_of_the_text_are_guessed_where_labelled_ones_are(folder):
    (folder / "text.txt").write_text("MODAGIN DIG ЖЖ\nKIN DIG\n")
    done = make_lang(folder, "--oov", "g2p", "--text", str(folder / "text.txt"))
    assert done.returncode == 0, done.stderr
    assert "guessed 1 words, such as MODAGIN (m ow d aa g iy n); 1 cannot be, and stay unknown: ЖЖ" in done.stderr
    report = json.loads((folder / "lang/report.json").read_text())
    assert report["guessed"] == {"BAT": "b aa t", "MODAGIN": "m ow d aa g iy n"}
    assert "MODAGIN" in Lexicon.read(folder / "lang") and report["text"]["unknown"] == 1
    assert BackoffModel.read(folder / "lang/lm.arpa").log_prob("DIG", ["<s>", "MODAGIN"]) > -1


def test_what_is_in_the_transcripts_and_in_the_text_counts_once(folder):
    """Preparations write the labelled sentences into the text too."""
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\n")
    (folder / "text.txt").write_text("KIN DIG\nTIP PIT\n")
    assert make_lang(folder, "--text", str(folder / "text.txt")).returncode == 0
    sentences = [line.split() for line in ("KIN DIG", "BAT DIG", "PAN KIN", "TIP PIT")]
    expected = estimate(sentences, Lexicon.read(folder / "lang").vocabulary, 3)
    assert BackoffModel.read(folder / "lang/lm.arpa").log_probs == pytest.approx(expected.log_probs, abs=1e-5)
    report = json.loads((folder / "lang/report.json").read_text())
    assert report["text"]["in_transcripts_and_text"] == 1 and report["text"]["sentences"] == 4


def test_general_english_is_mixed_in(folder):
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\nTHE dh ah\n")
    assert make_lang(folder).returncode == 0
    before = BackoffModel.read(folder / "lang/lm.arpa").log_prob("THE", [])
    done = make_lang(folder, "--english", "0.5")
    assert done.returncode == 0, done.stderr
    assert BackoffModel.read(folder / "lang/lm.arpa").log_prob("THE", []) > before + 1
    done = make_lang(folder, "--english", "1.5")
    assert done.returncode == 1 and "a share from 0 to below 1" in done.stderr


def test_what_a_given_model_and_the_lexicon_lack_of_one_another_is_said(folder):
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\n")
    texts = [cut.supervisions[0].text.split() for cut in CutSet.from_file(folder / "labelled.jsonl.gz")]
    words = {word for text in texts for word in text} | {"ZEBRA"}
    estimate(texts, words, 2).write(folder / "given.arpa")
    done = make_lang(folder, "--arpa", str(folder / "given.arpa"))
    assert done.returncode == 0, done.stderr
    assert "given.arpa: 1 of its words have no pronunciation" in done.stderr and "ZEBRA" in done.stderr
    assert "words of the lexicon are not in it" in done.stderr
    report = json.loads((folder / "lang/report.json").read_text())
    assert report["perplexity"]["labelled"] < 1000
    estimate([[w.lower() for w in t] for t in texts], {w.lower() for w in words}, 2).write(folder / "given.arpa")
    done = make_lang(folder, "--arpa", str(folder / "given.arpa"))
    assert done.returncode == 1 and "Is the case the same?" in done.stderr


def test_text_that_is_not_utf8_is_refused_by_its_name(folder):
    (folder / "text.txt").write_bytes("TIP CAF\u00c9\n".encode("latin-1"))
    done = make_lang(folder, "--text", str(folder / "text.txt"), "--oov", "skip")
    assert done.returncode == 1 and "text.txt: must be UTF-8" in done.stderr


def test_places_for_words_are_words_of_the_model_and_of_nothing_else(folder):
    """A text may have them, and nobody pronounces them."""
    (folder / "text.txt").write_text("TIP <contact>\nTIP <contact> PIT\n<room> PAN\n")
    (folder / "lexicon.txt").write_text((folder / "lexicon.txt").read_text() + "BAT b aa t\n")
    for more in ((), ("--oov", "g2p"), ("--lexicon", "graphemes")):
        done = make_lang(folder, "--text", str(folder / "text.txt"), *more)
        assert done.returncode == 0 and "places for words that users add: <contact> <room>" in done.stderr, done.stderr
        assert "have no pronunciation: " not in done.stderr and "guessed:" not in done.stderr
        assert not {"<contact>", "<room>"} & {*Lexicon.read(folder / "lang").vocabulary}
        model = BackoffModel.read(folder / "lang/lm.arpa")
        assert model.log_prob("<contact>", ["TIP"]) > model.log_prob("<room>", ["TIP"]) > -20
        assert classes_of(folder / "lang/lm.arpa") == ["<contact>", "<room>"]


def test_words_may_be_spelled(folder):
    """Of labelled speech, more text, and a list; what is not made of letters is refused, or left out of the list."""
    (folder / "text.txt").write_text("TIP MORE\n")
    (folder / "list.txt").write_text("PIT\nMP3 x\n\nKIN k\n")
    more = {"text": str(folder / "text.txt"), "words": str(folder / "list.txt")}
    done = make_lang(folder, "--lexicon", "graphemes", "--text", more["text"], "--words", more["words"])
    assert done.returncode == 0, done.stderr
    assert "list.txt: 1 words are not made of letters, and left out: MP3" in done.stderr
    lexicon = Lexicon.read(folder / "lang")
    assert lexicon.vocabulary == ["BAT", "DIG", "KIN", "MORE", "PAN", "PIT", "TIP"]
    assert [lexicon.phones[p] for p in lexicon.pronunciations["MORE"][0]] == ["m", "o", "r", "e"]
    (folder / "text.txt").write_text("TIP 12\n")
    refused = make_lang(folder, "--lexicon", "graphemes", "--text", more["text"])
    assert refused.returncode == 1 and "1 words (1 occurrences) are not made of letters alone: 12 (1)" in refused.stderr
    useless = make_lang(folder, "--words", more["words"])
    assert useless.returncode == 1 and "--words: go with --lexicon graphemes" in useless.stderr
