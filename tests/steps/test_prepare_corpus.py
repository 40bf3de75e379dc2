"""The step that takes a corpus in: options of its layout, a YAML file, and what it does when it is run again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.intake.sounds import tone

from understudy.intake import Folder, KaldiData
from understudy.intake.command import digests, layout_of
from understudy.intake.options import CutOptions
from understudy.step import UserError

ROOT = Path(__file__).parents[2]


def prepare(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "steps/prepare_corpus.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_options_in_a_file_and_another_share_converts_nothing_again(tmp_path: Path):
    for speaker in "abcd":
        tone(tmp_path / f"in/1_{speaker}_0.wav", 0.3, 8000)
    (tmp_path / "corpus.yaml").write_text(
        f"path: {tmp_path / 'in'}\npattern: '{{text}}_{{speaker}}_{{take}}'\nwords: {{1: one}}\ndev: b\ntest: c,\n"
    )
    options = ("--from", "folder", "--config", tmp_path / "corpus.yaml", "--audio", tmp_path / "audio",
               "--out", tmp_path / "corpus")  # fmt: skip
    first = prepare(*options)
    assert first.returncode == 0, first.stderr
    assert "command: prepare_corpus.py --from folder --config" in first.stderr
    assert "4 recordings, of which 4 were converted" in first.stderr and "labelled: 2 utterances" in first.stderr
    copies = {path: path.stat().st_mtime_ns for path in (tmp_path / "audio").glob("*.flac")}
    second = prepare(*options, "--unlabelled", "d,")
    assert "unlabelled: 1 utterance," in second.stderr and "option unlabelled: None -> d," in second.stderr
    assert len(copies) == 4 and copies == {path: path.stat().st_mtime_ns for path in (tmp_path / "audio").iterdir()}
    nearest = prepare(*options, "--patern", "x")
    assert nearest.returncode == 2 and "did you mean pattern?" in nearest.stderr


def test_a_word_that_is_mended_makes_another_corpus(tmp_path: Path):
    """Of as many letters, so that no size tells."""
    said = tone(tmp_path / "in/ann/1.wav").with_suffix(".txt")
    (tmp_path / "data").mkdir()
    found = []
    for word, phone in (("teh", "ah"), ("the", "ah"), ("the", "iy")):
        said.write_text(word)
        (tmp_path / "lexicon.txt").write_text(f"the dh {phone}\n")
        found.append(digests(Folder(path=tmp_path / "in", lexicon=str(tmp_path / "lexicon.txt"))))
    assert found[0].keys() == {"texts of path", "digest of the lexicon", "detector of speech"}
    assert found[0]["texts of path"] != found[1]["texts of path"] == found[2]["texts of path"]
    assert found[0]["digest of the lexicon"] == found[1]["digest of the lexicon"] != found[2]["digest of the lexicon"]
    (tmp_path / "data/text").write_text("u1 the\n")
    before = digests(KaldiData(path=tmp_path / "data"))
    (tmp_path / "data/text").write_text("u1 teh\n")
    assert digests(KaldiData(path=tmp_path / "data")) != before
    assert "detector of speech" not in digests(KaldiData(path=tmp_path / "data", cut=CutOptions(longest=None)))
    with pytest.raises(UserError, match=r"--lexicon gone\.txt: no such file"):
        digests(Folder(path=tmp_path / "in", lexicon="gone.txt"))


@pytest.mark.parametrize("arguments", [[], ["--from"], ["--from", "kaldy"]])
def test_a_layout_is_needed(arguments: list[str], capsys):
    with pytest.raises(SystemExit):
        layout_of(arguments, "What it does.")
    assert "kaldi, table, folder, lhotse" in capsys.readouterr().err


def test_help_alone_tells_the_layouts(capsys):
    with pytest.raises(SystemExit) as ended:
        layout_of(["--help"], "What it does.")
    said = capsys.readouterr().out
    assert (
        ended.value.code == 0
        and said.startswith("usage: ")
        and "What it does." in said
        and "kaldi, table, folder, lhotse" in said
    )
