"""Transcripts in the layouts of other recognisers."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.pseudo.transcripts import Heard, digest_of, read_transcripts
from understudy.step import UserError


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("name", ["text", "hyp.txt"])
def test_a_text_of_kaldis(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, "u1 Hello, world.\nu2\n")
    assert read_transcripts(path) == {"u1": Heard("Hello, world."), "u2": Heard("")}


def test_json_lines_tell_how_sure_they_are(tmp_path: Path) -> None:
    lines = (
        '{"id": "u1", "text": "one", "log_probability": -0.5}\n{"utt_id": "u2", "text": ""}\n'
        '{"audio_filepath": "/a/u3.wav", "text": "reference", "pred_text": "heard"}\n'
    )
    found = {"u1": Heard("one", -0.5), "u2": Heard(""), "u3": Heard("heard")}
    assert read_transcripts(written(tmp_path, "all.jsonl", lines)) == found


def test_a_ctm_is_read_in_the_order_of_its_times(tmp_path: Path) -> None:
    path = written(tmp_path, "all.ctm", ";; a comment\nu1 1 0.50 0.2 world 0.9\nu1 1 0.10 0.3 hello\nu2 A 0 1 yes\n")
    assert read_transcripts(path) == {"u1": Heard("hello world"), "u2": Heard("yes")}


def test_a_folder_of_texts_and_a_word_that_is_mended_there(tmp_path: Path) -> None:
    written(tmp_path, "u1.txt", "one\ntwo\n")
    written(tmp_path, "u2.txt", "")
    written(tmp_path, "notes.md", "no transcript")
    assert read_transcripts(tmp_path) == {"u1": Heard("one two"), "u2": Heard("")}
    before = digest_of(tmp_path)
    written(tmp_path, "u1.txt", "one\ntwi\n")
    assert digest_of(tmp_path) != before


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("text", "", r"text: no transcripts"),
        ("text", "u1 a\nu1 b\n", r"text, line 2: u1 comes twice"),
        ("a.jsonl", '{"id": "u1"}\n', r"a\.jsonl, line 1: must have id \(or audio_filepath\) and text, has id"),
        ("a.jsonl", '{"text": "a"}\n', r"a\.jsonl, line 1: must have id"),
        ("a.jsonl", '{"id": "u", "text": "a"}\n{"id": "u", "text": "b"}\n', r"a\.jsonl, line 2: u comes twice"),
        ("a.jsonl", "u1 hello\n", r"a\.jsonl, line 1: must be an object in JSON"),
        ("a.ctm", "u1 1 0.5 hello\n", r"a\.ctm, line 1: must be ID CHANNEL BEGIN LENGTH WORD, got 'u1 1 0.5 hello'"),
        ("a.ctm", "u1 1 x 0.1 hello\n", r"a\.ctm, line 1: a time must be a number, got 'x'"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        read_transcripts(written(tmp_path, name, text))
