"""What a device costs: which utterances count, and by what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.ship import toy_recogniser

from understudy.ship.export import export
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.footprint import first_word, measure
from understudy.step import UserError


@pytest.fixture
def device(tmp_path: Path) -> Path:
    ours, folder = toy_recogniser.make(tmp_path / "recogniser"), tmp_path / "device"
    folder.mkdir()
    export(ours.model, ours.normaliser, ours.tree.fingerprint, folder / "network.onnx")
    write_graph(ours.graph, folder)
    seal_folder(ours, folder)
    return folder


def test_texts_are_compared_as_the_decoder_compared_them(device: Path, tmp_path: Path) -> None:
    manifest = toy_recogniser.utterances(tmp_path, "test", ["ONE, TWO"])
    (plain,) = measure(device, manifest, tmp_path / "heard", 10).outcomes
    (alike,) = measure(device, manifest, tmp_path / "heard", 10, ["punctuation"]).outcomes
    assert (plain.reference, alike.reference) == (["ONE,", "TWO"], ["ONE", "TWO"])
    assert plain.words == alike.words


def test_what_was_heard_before_a_fault_is_not_heard_again(device: Path, tmp_path: Path) -> None:
    manifest = toy_recogniser.utterances(tmp_path, "test", ["ONE, TWO"] * 5)
    whole = measure(device, manifest, tmp_path / "whole", 100)
    (tmp_path / "test4.wav").rename(tmp_path / "away.wav")
    with pytest.raises(UserError, match=r"cut test4: cannot read"):
        measure(device, manifest, tmp_path / "heard", 2)
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "heard").iterdir()}
    assert sorted(kept) == ["00000.jsonl", "00001.jsonl"]
    (tmp_path / "away.wav").rename(tmp_path / "test4.wav")
    resumed = measure(device, manifest, tmp_path / "heard", 2)
    assert resumed.outcomes == whole.outcomes and len(whole.outcomes) == 5 and resumed.rtf > 0
    assert all((tmp_path / "heard" / name).stat().st_mtime_ns == when for name, when in kept.items())


def heard(first: float | None, words: str, seconds: float = 2.0) -> dict:
    return {"first_word_s": first, "words": words.split(), "seconds": seconds}


def test_a_word_that_appears_only_at_the_end_is_as_late_as_that() -> None:
    assert first_word([heard(0.5, "YES"), heard(0.7, "NO"), heard(None, "NO", 3.0)]) == 0.7
    assert first_word([heard(None, "YES", 3.0), heard(None, "", 9.0)]) == 3.0  # one without words has no first one
    assert first_word([heard(0.4, ""), heard(None, "")]) == 0.4  # there was a word, which did not stay


def test_where_there_are_no_words_nothing_is_told() -> None:
    assert json.dumps(first_word([heard(None, ""), heard(None, "")])) == "null"
