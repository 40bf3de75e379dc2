"""Folders of audio, with transcripts beside the files or in their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.intake import Folder
from understudy.intake.textgrid import Interval, read_tiers
from understudy.step import UserError

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones 2"
        xmin = 0
        xmax = 2.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = "h"
    item [2]:
        class = "TextTier"
        name = "bell"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 1.5
            mark = "ding 3"
    item [3]:
        class = "IntervalTier"
        name = "Words"
        xmin = 0
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 1e0
            text = "he said ""12 [3]"""
        intervals [3]:
            xmin = 1
            xmax = 2.5
            text = "yes"
'''
HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
SHORT = HEAD + '0\n1.5\n<exists>\n1\n"IntervalTier"\n"u"\n0\n1.5\n1\n0\n1.5\n"tak"\n'


def files(folder: Path, *names: str) -> Path:
    """Files with these names; nothing reads their audio here."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def test_text_and_speaker_in_the_name(tmp_path: Path):
    files(tmp_path, "7_jackson_32.wav", "0_theo_1.wav")
    corpus = Folder(pattern="{text}_{speaker}_{take}", words={"7": "seven", "0": "zero"})
    found = [(p.id, p.recording, p.text, p.speaker) for p in corpus.read(tmp_path)]
    assert found == [("0_theo_1", "0_theo_1", "zero", "theo"), ("7_jackson_32", "7_jackson_32", "seven", "jackson")]


def test_folders_above_are_named_or_waved_through(tmp_path: Path):
    """Else the speaker of speaker/chapter/take would be the chapter."""
    files(tmp_path, "ann/day1/a.wav")
    with pytest.raises(UserError, match=r"its name, ann/day1/a, is not as --pattern \{speaker\}/\{name\} has it"):
        list(Folder().read(tmp_path))
    for pattern, speaker in (("{speaker}/{day}/{take}", "ann"), ("**/{speaker}/{take}", "day1"), ("**/{speaker}", "a")):
        assert [p.speaker for p in Folder(pattern=pattern).read(tmp_path)] == [speaker]


def test_transcripts_beside_the_audio(tmp_path: Path, caplog):
    files(tmp_path, "ann/day1/a.wav", "ann/day1/b.FLAC", "bob/day1/a.mp3", "bob/day1/d.m4a", "bob/notes.pdf")
    (tmp_path / "ann/day1/a.txt").write_text("\ufeffHello\nthere\n", encoding="utf-8")
    (tmp_path / "ann/day1/b.lab").write_text("0 5000000 good\n5000000 9000000 day\n")
    (tmp_path / "bob/day1/a.TextGrid").write_text(LONG, encoding="utf-16")
    with caplog.at_level("INFO"):
        found = list(Folder(pattern="{speaker}/{day}/{take}").read(tmp_path))
    assert [(p.id, p.speaker, p.text) for p in found] == [
        ("ann-day1-a", "ann", "Hello there"), ("ann-day1-b", "ann", "good day"),
        ("bob-day1-a", "bob", ' he said "12 [3]" yes'), ("bob-day1-d", "bob", None)]  # fmt: skip
    assert "notes.pdf (1 in all)" in caplog.text and "1 of 4 files have no transcript beside them" in caplog.text


def test_intervals_may_be_utterances(tmp_path: Path):
    files(tmp_path, "ann/long.wav")
    (tmp_path / "ann/long.TextGrid").write_text(LONG)
    found = list(Folder(utterances=True).read(tmp_path))
    assert [(p.id, p.recording, p.text, p.start, p.end) for p in found] == [
        ("ann-long-0001", "ann-long", 'he said "12 [3]"', 0.25, 1.0),
        ("ann-long-0002", "ann-long", "yes", 1.0, 2.5),
    ]
    (one,) = Folder(utterances=True, tier="phones 2").read(tmp_path)
    assert one.text == "h"


def test_both_forms_of_a_textgrid(tmp_path: Path):
    for name, form in (("l", LONG), ("s", SHORT)):
        (tmp_path / name).write_text(form)
    assert list(read_tiers(tmp_path / "l")) == ["phones 2", "Words"]
    assert read_tiers(tmp_path / "s") == {"u": [Interval(0.0, 1.5, "tak")]}
    for broken, said in ((SHORT[:-6], "breaks off"), ("nothing", "must be a TextGrid in Praat's text form")):
        (tmp_path / "b").write_text(broken)
        with pytest.raises(UserError, match=said):
            read_tiers(tmp_path / "b")


def test_faults_are_named(tmp_path: Path):
    files(tmp_path, "7_jackson_32.wav")
    with pytest.raises(UserError, match=r"its name, 7_jackson_32, is not as --pattern \{speaker\}/\{name\} has it"):
        list(Folder().read(tmp_path))
    with pytest.raises(UserError, match=r"'7' is not among --words \(8\)"):
        list(Folder(pattern="{text}_{speaker}_{n}", words={"8": "eight"}).read(tmp_path))
    with pytest.raises(UserError, match=r"--pattern \{text\}: must have \{speaker\}"):
        Folder(pattern="{text}")
    with pytest.raises(UserError, match="must be a folder of audio"):
        list(Folder().read(tmp_path / "7_jackson_32.wav"))
    (files(tmp_path, "s/a.wav") / "7_jackson_32.wav").unlink()
    (tmp_path / "s/a.TextGrid").write_text(LONG)
    with pytest.raises(UserError, match=r"has no tier 'word'; there are phones 2, Words\. Choose by --tier"):
        list(Folder(tier="word").read(tmp_path))
