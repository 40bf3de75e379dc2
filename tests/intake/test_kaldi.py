"""Data directories of Kaldi's, beside what Lhotse reads in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from lhotse.kaldi import load_kaldi_data_dir
from tests.intake.sounds import tone

from understudy.intake import KaldiData
from understudy.intake.kaldi import read_table
from understudy.step import UserError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two recordings with three segments, of which the last runs to the end."""
    folder = tmp_path / "egs/data/train"
    folder.mkdir(parents=True)
    for name in ("r1", "r2"):
        tone(tmp_path / f"egs/wav/{name}.wav", 3.0)
    write(folder, "wav.scp", "r1 wav/r1.wav", "r2 wav/r2.wav")
    write(folder, "segments", "ann-1 r1 0.50 1.25", "ann-2 r1 1.5 2.75", "bob-1 r2 0.25 -1")
    write(folder, "text", "ann-1 hello there", "ann-2 yes", "bob-1 Ünter uns")
    write(folder, "utt2spk", "ann-1 ann", "ann-2 ann", "bob-1 bob")
    write(folder, "spk2gender", "ann f", "bob m")
    write(folder, "utt2lang", "ann-1 en", "ann-2 en", "bob-1 de")
    write(folder, "reco2dur", "r1 3.0", "r2 3.0")
    return folder


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_utterances_are_those_that_lhotse_reads(data: Path):
    _, supervisions, _ = load_kaldi_data_dir(data, 16000)
    expected = [(s.id, s.recording_id, s.speaker, s.text, s.start, s.end, s.language, s.gender) for s in supervisions]
    found = [
        (p.id, p.recording, p.speaker, p.text, p.start, 3.0 if p.end is None else p.end, p.language, p.gender)
        for p in KaldiData().read(data)
    ]
    assert found == expected and len(found) == 3


def test_relative_paths_begin_where_they_are_found(data: Path, monkeypatch):
    assert {p.sound.source for p in KaldiData().read(data)} == {str(data.parents[1] / f"wav/r{i}.wav") for i in (1, 2)}
    monkeypatch.chdir(data.parents[1])
    absolute = KaldiData(path=Path("data/train")).absolute()
    monkeypatch.chdir(data)
    assert absolute.path == data and absolute.root == data.parents[1]
    assert Path(next(iter(absolute.read(absolute.path))).sound.source).exists()


def test_whole_recordings_commands_and_archives(data: Path):
    for name in ("segments", "reco2dur"):
        (data / name).unlink()
    write(data, "wav.scp", "a wav/r1.wav", "b sph2pipe -f wav -p -c 1 x.sph |", "c wav/all.ark:1234")
    write(data, "utt2spk", "a ann", "b bob", "c ann")
    write(data, "text", "a hello", "c")  # one is not transcribed, one has no words
    root = data.parents[1]
    found = list(KaldiData(channel=1).read(data))
    assert [(p.id, p.recording, p.text, p.end) for p in found] == [("a", "a", "hello", None), ("b", "b", None, None),
                                                                   ("c", "c", "", None)]  # fmt: skip
    sounds = [p.sound for p in found]
    assert [(s.kind, s.source) for s in sounds] == [
        ("file", str(root / "wav/r1.wav")),
        ("command", "sph2pipe -f wav -p -c 1 x.sph"),
        ("archive", f"{root / 'wav/all.ark'}:1234"),
    ]
    assert sounds[1].folder == root and {sound.channel for sound in sounds} == {1}


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("segments", ["ann-1 r1 0.5"], r"segments, line 1: expected UTTERANCE RECORDING START END, found ann-1"),
        ("segments", ["ann-1 r9 0 1"], r"line 1: ann-1 is of r9, which .*wav\.scp does not name"),
        ("segments", ["ann-1 r1 2.0 1.0"], "line 1: ann-1 begins at 2 s and ends at 1 s"),
        ("segments", ["ann-1 r1 0.0 one"], "line 1: a time must be a number, got 'one'"),
        ("utt2spk", ["ann-1 ann", "bob-1 bob"], r"segments, line 2: ann-2 has no speaker in .*utt2spk"),
        ("utt2spk", ["ann-1 ann", "ann-1 bob"], r"utt2spk, line 2: ann-1 comes twice"),
        ("text", ["zoe-1 hello"], r"text, line 1: zoe-1 is no utterance of .*fix_data_dir\.sh"),
        ("wav.scp", ["r1 wav/r1.wav", "r2"], r"wav\.scp, line 2: expected a key and its value, found 'r2'"),
    ],
)
def test_a_faulty_line_is_named(data: Path, name: str, lines: list[str], said: str):
    write(data, name, *lines)
    with pytest.raises(UserError, match=said):
        list(KaldiData().read(data))


def test_what_is_no_data_directory(tmp_path: Path):
    with pytest.raises(UserError, match=r"no wav\.scp in it, so no data directory"):
        list(KaldiData().read(tmp_path))


def test_a_table_that_is_not_utf_8(tmp_path: Path):
    (tmp_path / "text").write_bytes(b"u1 caf\xe9\n")
    with pytest.raises(UserError, match=r"text: must be UTF-8, and is not at byte 6\. Convert it with iconv"):
        read_table(tmp_path / "text")
    (tmp_path / "text").write_bytes("\ufeffu1 café\r\n".encode())
    assert read_table(tmp_path / "text")["u1"][0] == "café"
