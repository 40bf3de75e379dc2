"""Words that the recogniser does not know can be aligned, where guesses were allowed."""

import random

import pytest

from understudy.corpus import Utterance, build_cut, write_cuts
from understudy.lang import alignment_lexicon
from understudy.lang.alignment_lexicon import spoken_lexicon
from understudy.lang.g2p import MODEL, train
from understudy.lang.lexicon import OOV, Lexicon, read_entries


@pytest.fixture
def lang(tmp_path):
    """Four hundred words, spelt as they are spoken, and a manifest in which two others are said."""
    draw = random.Random(1)
    words = {
        "".join(draw.choice("BDGKMNPT") + draw.choice("AIO") for _ in range(draw.randint(1, 4))) for _ in range(500)
    }
    Lexicon.from_entries((word, tuple(word.lower())) for word in words - {"MODAGI"}).write(tmp_path)
    texts = ["MODAGI " + min(words), "ЖЖ " + min(words)]
    speech = [Utterance(f"u{i}", tmp_path / "a.wav", text, "x", 16000, 16000) for i, text in enumerate(texts)]
    write_cuts(tmp_path / "dev.jsonl.gz", map(build_cut, speech))
    return tmp_path


@pytest.mark.parametrize(
    ("oov", "guessed", "kept"), [("g2p", True, False), ("g2p", True, True), ("skip", False, False)]
)
def test_what_is_guessed_can_be_aligned_and_not_be_recognised(lang, oov, guessed, kept, monkeypatch):
    (lang / OOV).write_text(f"{oov}\n")
    if kept:  # with the language: nothing is trained again
        train(read_entries(lang / "lexicon.txt"), lang / MODEL)
        monkeypatch.delattr(alignment_lexicon, "train")
    lexicon, known = spoken_lexicon(lang, [lang / "dev.jsonl.gz"]), Lexicon.read(lang)
    assert lexicon.pronounces("MODAGI") == guessed and not lexicon.pronounces("MODAGI ЖЖ")
    assert (lexicon.words, lexicon.phones) == (known.words, known.phones)
    if guessed:
        assert [lexicon.phones[p] for p in lexicon.pronunciations["MODAGI"][0]] == list("modagi")
