"""What a device costs: which utterances count, and by what."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).parent))
import toy_recogniser

from understudy.corpus import Utterance, build_cut
from understudy.ship.export import export
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.footprint import first_word, measure


def test_texts_are_compared_as_the_decoder_compared_them(tmp_path: Path) -> None:
    ours = toy_recogniser.make(tmp_path / "recogniser")
    export(ours.model, ours.normaliser, ours.tree.fingerprint, tmp_path / "network.onnx")
    write_graph(ours.graph, tmp_path)
    seal_folder(ours, tmp_path)
    soundfile.write(tmp_path / "a.wav", toy_recogniser.noise(1.0, 1), 16000, subtype="PCM_16")
    cut = build_cut(Utterance("u", tmp_path / "a.wav", "ONE, TWO", "x", 16000, 16000))
    (plain,) = measure(tmp_path, [cut]).outcomes
    (alike,) = measure(tmp_path, [cut], ["punctuation"]).outcomes
    assert (plain.reference, alike.reference) == (["ONE,", "TWO"], ["ONE", "TWO"])
    assert plain.words == alike.words


def heard(first: float | None, words: str, seconds: float = 2.0) -> dict:
    return {"first_word_s": first, "words": words.split(), "seconds": seconds}


def test_a_word_that_appears_only_at_the_end_is_as_late_as_that() -> None:
    assert first_word([heard(0.5, "YES"), heard(0.7, "NO"), heard(None, "NO", 3.0)]) == 0.7
    assert first_word([heard(None, "YES", 3.0), heard(None, "", 9.0)]) == 3.0  # one without words has no first one
    assert first_word([heard(0.4, ""), heard(None, "")]) == 0.4  # there was a word, which did not stay


def test_where_there_are_no_words_nothing_is_told() -> None:
    assert json.dumps(first_word([heard(None, ""), heard(None, "")])) == "null"
