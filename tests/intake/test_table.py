"""Tables of recordings in all the ways that people write them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from understudy.intake import Table
from understudy.intake.piece import Piece
from understudy.step import UserError


def read(path: Path, content: str, **options) -> list[Piece]:
    path.write_text(content, encoding="utf-8")
    return list(Table(**options).read(path))


ROWS = [("a.wav", "one, two", "ann"), ("b.wav", "three", "bob")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'path,text,speaker\na.wav,"one, two",ann\nb.wav,three,bob\n'),
        ("t.csv", "path;text;speaker\r\na.wav;one, two;ann\r\nb.wav;three;bob\r\n"),
        ("t.tsv", "client_id\tpath\tsentence\nann\ta.wav\tone, two\nbob\tb.wav\tthree\n"),
        ("t.txt", "file|transcript|spk\na.wav|one, two|ann\nb.wav|three|bob\n"),
        ("t.jsonl", '{"audio_filepath": "a.wav", "text": "one, two", "speaker": "ann"}\n\n'
         '{"audio_filepath": "b.wav", "text": "three", "speaker": "bob", "offset": null}\n'),
    ],
)  # fmt: skip
def test_separators_and_usual_names(tmp_path: Path, name: str, content: str):
    found = read(tmp_path / name, content)
    assert [(Path(p.sound.source).name, p.text, p.speaker) for p in found] == ROWS
    assert [(p.id, p.recording, p.start, p.end) for p in found] == [("a", "a", 0.0, None), ("b", "b", 0.0, None)]
    assert found[0].sound.source == str(tmp_path / "a.wav")


def test_a_packed_table_with_a_byte_order_mark(tmp_path: Path):
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress("\ufeffpath\ttext\tspeaker\nA.wav\tčaj\tann\n".encode()))
    (found,) = Table().read(tmp_path / "t.tsv.gz")
    assert (found.id, found.text) == ("A", "čaj")


def test_columns_are_named_or_given(tmp_path: Path):
    (found,) = read(tmp_path / "t.csv", "Datei,Wer,Was,x\nd/a.wav,ann,ja,1\n",
                    columns={"path": "Datei", "speaker": "Wer", "text": "Was"}, root=tmp_path / "audio")  # fmt: skip
    assert (found.sound.source, found.speaker, found.text) == (str(tmp_path / "audio/d/a.wav"), "ann", "ja")
    (found,) = read(tmp_path / "metadata.csv", "LJ-1|He said so\n", header=["path", "text"], one_speaker_each=True)
    assert (found.id, found.speaker, found.text) == ("LJ-1", "LJ-1", "He said so")


def test_times_and_channels_part_a_recording(tmp_path: Path):
    header = "id,path,speaker,text,start,duration,end,channel\n"
    found = read(tmp_path / "t.csv", header + ",a.wav,ann,ja,0.5,1.5,,0\nmine,a.wav,bob,nein,0,,2,1\n")
    assert [(p.id, p.recording, p.start, p.end, p.sound.channel) for p in found] == [
        ("a-0-00000500-00002000", "a-0", 0.5, 2.0, 0), ("mine", "a-1", 0.0, 2.0, 1)]  # fmt: skip


def test_a_duration_alone_is_not_a_stretch(tmp_path: Path):
    """NeMo's manifests have it of every file."""
    lines = [{"audio_filepath": f"/d/{n}/x.wav", "duration": 1.5, "text": "ja", "speaker": "ann"} for n in (1, 2)]
    found = read(tmp_path / "t.json", "".join(json.dumps(line) + "\n" for line in lines))
    assert [(p.id, p.end, p.sound.source) for p in found] == [
        ("-d-1-x", None, "/d/1/x.wav"),
        ("-d-2-x", None, "/d/2/x.wav"),
    ]


def test_common_voice_as_it_is(tmp_path: Path):
    (tmp_path / "clips").mkdir()
    head = "client_id\tpath\tsentence\tup_votes\tage\tgender\taccents\tlocale\n"
    for name in ("train", "dev", "test"):
        row = f'c-{name}\tcommon_voice_sv-SE_{name}.mp3\t"Hej" sa hon.\t2\t\tfemale\t\tsv-SE\n'
        (tmp_path / f"{name}.tsv").write_text(head + row)
    corpus = Table(path=tmp_path)
    sources = corpus.sources()
    assert sources == {"path": tmp_path / "train.tsv", "dev": tmp_path / "dev.tsv", "test": tmp_path / "test.tsv"}
    (found,) = corpus.read(sources["path"])
    assert found.sound.source == str(tmp_path / "clips/common_voice_sv-SE_train.mp3")
    assert (found.text, found.speaker, found.language, found.gender) == ('"Hej" sa hon.', "c-train", "sv-SE", "female")
    (tmp_path / "dev.tsv").unlink()
    with pytest.raises(UserError, match=r"folder of Common Voice's, which has dev\.tsv too"):
        corpus.sources()


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("a,b\n1,2\n", {}, "no column tells the audio files; there are a, b. Name it: --columns"),
        ("path,text\na.wav,x\n", {}, "t.csv, line 2: no speaker. Name the column by --columns, or say"),
        ("path,text,speaker\na.wav,x\n", {}, "t.csv, line 2: has 2 columns, and the table 3"),
        ("path,speaker,start\na.wav,ann,x\n", {}, "t.csv, line 2: start must be a number, got 'x'"),
        ("path,speaker,start,end\na.wav,ann,2,1\n", {}, "line 2: begins at 2 s and ends at 1 s"),
        ("path,speaker\n,ann\n", {}, "line 2: path is empty"),
        ("path,speaker\n", {}, "t.csv: no rows"),
        ("path,speaker\na.wav,ann\n", {"columns": {"text": "said"}}, "no column 'said' for text; there are path"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, options: dict, said: str):
    with pytest.raises(UserError, match=said):
        read(tmp_path / "t.csv", content, **options)


def test_lines_that_are_no_json(tmp_path: Path):
    with pytest.raises(UserError, match=r"t\.jsonl, line 1: must be an object in JSON, got '\[1\]'"):
        read(tmp_path / "t.jsonl", "[1]\n")
    with pytest.raises(UserError, match=r"t\.jsonl, line 2: must be an object in JSON on one line"):
        read(tmp_path / "t.jsonl", '{"path": "a.wav", "speaker": "x"}\n{\n')
