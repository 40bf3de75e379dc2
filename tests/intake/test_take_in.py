"""From somebody's layout to a recipe's manifests, lexicon and audio."""

from __future__ import annotations

import gzip
import json
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import MonoCut
from tests.intake.sounds import tone
from tests.intake.spoken import recording
from tests.local.preparation import Preparation

from understudy.corpus import read_cuts, validate_sets
from understudy.corpus.names import SETS
from understudy.intake import Folder, KaldiData, Table, speech
from understudy.intake.options import CutOptions
from understudy.intake.take_in import take_in
from understudy.parallel.workers import Workers
from understudy.step import UserError

PEOPLE = {"ann": "One, two!", "bob": "two", "eve": "Three", "kim": "one three"}


def taken(corpus, out: Path) -> tuple[dict[str, list[MonoCut]], dict]:
    """Cuts of each set, and the report."""
    with Workers(1) as workers:
        report = take_in(corpus, out, out / "audio", workers)
    paths = {name: out / f"{name}.jsonl.gz" for name in SETS}
    assert json.loads((out / "report.json").read_text()) == report
    return {name: list(read_cuts(path)) for name, path in paths.items() if path.exists()}, report


def fault_of(corpus, out: Path) -> str:
    with pytest.raises(UserError) as error:
        taken(corpus, out)
    assert not (out / "report.json").exists()
    return str(error.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings at 8 kHz of each of four people, with text beside them."""
    for name, text in PEOPLE.items():
        for take in (1, 2):
            tone(tmp_path / f"in/{name}/{take}.wav", 0.5, 8000).with_suffix(".txt").write_text(text)
    return tmp_path / "in"


WHO = {"labelled": "ann,bob", "dev": "eve", "test": "kim"}


def test_a_folder_becomes_sets_that_are_valid(folder: Path, tmp_path: Path):
    cuts, report = taken(Folder(path=folder, **WHO), tmp_path / "out")
    assert {name: sorted({cut.supervisions[0].text for cut in found}) for name, found in cuts.items()} == {
        "labelled": ["one two", "two"], "dev": ["three"], "test": ["one three"]}  # fmt: skip
    manifests = {name: tmp_path / f"out/{name}.jsonl.gz" for name in cuts}
    for name, sound, _ in validate_sets(manifests):
        assert len(list(sound)) == report["sets"][name]["utterances"]
    assert report["sets"]["labelled"] == {
        "utterances": 4, "hours": 2 / 3600, "speakers": 2, "words": 6, "different_words": 2}  # fmt: skip
    assert (tmp_path / "out/lexicon.txt").read_text() == "one o n e\ntwo t w o\n"
    assert (report["words"], report["phones"], report["phone_pairs"], report["left_out"]) == (2, 5, 6, {})


def test_sets_may_have_sources_of_their_own(folder: Path, tmp_path: Path):
    tone(tmp_path / "more/zoe/1.wav").with_suffix(".txt").write_text("nine")
    corpus = Folder(path=folder, **WHO, unlabelled_path=tmp_path / "more")
    cuts, report = taken(corpus, tmp_path / "out")
    assert [cut.id for cut in cuts["unlabelled"]] == ["zoe-1"] and len(cuts["labelled"]) == 4
    assert report["words"] == 2  # transcripts of unlabelled speech are not used
    tone(tmp_path / "more/ann/3.wav")
    assert "speaker ann is in both labelled and unlabelled" in fault_of(corpus, tmp_path / "out2")


def test_ids_that_come_twice(tmp_path: Path, caplog):
    for name in ("train", "dev", "test"):
        tone(tmp_path / f"{name}.wav")
        (tmp_path / f"{name}.csv").write_text(f"id,path,speaker,text\nu1,{name}.wav,s-{name},yes\n")
    paths = {f"{name}_path": tmp_path / f"{file}.csv" for name, file in
             (("labelled", "train"), ("dev", "dev"), ("test", "test"))}  # fmt: skip
    with caplog.at_level("INFO"):
        cuts, _ = taken(Table(**paths), tmp_path / "out")
    assert {name: [cut.id for cut in found] for name, found in cuts.items()} == {
        "labelled": ["labelled-u1"], "dev": ["dev-u1"], "test": ["test-u1"]}  # fmt: skip
    assert "1 ids are in several of dev, labelled, test: the set's name goes before all ids of these" in caplog.text
    with (tmp_path / "test.csv").open("a") as file:
        file.write("u1,test.wav,s-test,no\n")
    assert "test.csv, line 3: the id u1 was there before" in fault_of(Table(**paths), tmp_path / "out2")


def test_a_name_is_that_of_one_recording(tmp_path: Path):
    for name in "ab":
        tone(tmp_path / f"{name}.wav", 2.0)
    (tmp_path / "t.csv").write_text("id,path,start,end,speaker,text\n,a.wav,0,1,x,one\na,b.wav,,,y,two\n")
    corpus = Table(path=tmp_path / "t.csv", labelled="x", dev="y", test="y")
    said = fault_of(corpus, tmp_path / "out")
    assert "t.csv, line 3: a would be the name of two recordings" in said and "Give the utterance another id" in said


def test_stretches_of_recordings(tmp_path: Path, caplog):
    tone(tmp_path / "long.wav", 3.0, 8000)
    rows = ["long.wav,0,1,a,one", "long.wav,1.1,1.9,b,two", "long.wav,2,3.2,c,three"]
    (tmp_path / "t.csv").write_text("path,start,end,speaker,text\n" + "".join(f"{row}\n" for row in rows))
    corpus = Table(path=tmp_path / "t.csv", labelled="a", dev="b", test="c")
    with caplog.at_level("INFO"):
        cuts, _ = taken(corpus, tmp_path / "out")
    (dev,) = cuts["dev"]
    assert (dev.start, dev.duration, dev.recording.num_samples) == (1.1, 0.8, 48000)
    assert cuts["test"][0].end == 3.0 and "1 utterances end up to 0.5 s behind their audio" in caplog.text
    assert len({cut.recording.id for found in cuts.values() for cut in found}) == 1
    for _, sound, _ in validate_sets({name: tmp_path / f"out/{name}.jsonl.gz" for name in cuts}):
        list(sound)
    with (tmp_path / "t.csv").open("a") as file:
        file.write("long.wav,5,6,a,four\n")
    assert "t.csv, line 5: long-00005000-00006000 is from 5 to 6 s of" in fault_of(corpus, tmp_path / "out2")
    corpus.bad = "exclude"
    assert taken(corpus, tmp_path / "out3")[1]["left_out"] == {"utterance beyond its audio": 1}


def test_speech_without_words(folder: Path, tmp_path: Path, caplog):
    for name in ("bob/1", "bob/2", "kim/2"):
        (folder / f"{name}.txt").unlink()
    (folder / "ann/2.txt").write_text("…")
    cuts, report = taken(Folder(path=folder, dev="eve", test="kim"), tmp_path / "out")
    assert {name: len(found) for name, found in cuts.items()} == {"labelled": 1, "unlabelled": 2, "dev": 2, "test": 1}
    assert cuts["unlabelled"][0].supervisions[0].text is None and report["left_out"] == {"no transcript": 2}
    assert "test: 1 utterances have no transcript, and are left out, such as kim-2" in caplog.text
    said = fault_of(Folder(path=folder, labelled="bob", dev="eve", test="kim"), tmp_path / "out2")
    assert "labelled: no speech with its words: 2 utterances without" in said


def test_speakers_in_no_set_are_said(folder: Path, tmp_path: Path, caplog):
    cuts, _ = taken(Folder(path=folder, labelled="ann", dev="eve", test="kim", unlabelled=0.0), tmp_path / "out")
    assert "unlabelled" not in cuts and "1 speaker (0.00 h) in no set, and left out: bob" in caplog.text


def test_faulty_files_end_it_or_are_left_out(folder: Path, tmp_path: Path, caplog):
    (folder / "ann/1.wav").write_bytes(b"RIFF")
    tone(folder / "bob/1.wav", 0.02)
    said = fault_of(Folder(path=folder, **WHO), tmp_path / "out")
    assert "ann/1.wav: libsndfile does not read" in said and "--bad exclude" in said
    cuts, report = taken(Folder(path=folder, **WHO, bad="exclude"), tmp_path / "out2")
    assert len(cuts["labelled"]) == 2 and report["left_out"] == {"audio cannot be read": 1, "too short": 1}
    whole = tone(folder / "ann/1.wav").read_bytes()  # at 16 kHz, so that it stays where it is
    (folder / "ann/1.wav").write_bytes(whole[: len(whole) // 2])
    assert taken(Folder(path=folder, **WHO, bad="exclude"), tmp_path / "out3")[1]["left_out"] == {
        "cut-off audio": 1, "too short": 1}  # fmt: skip


def test_a_lexicon_takes_the_case_of_the_transcripts(folder: Path, tmp_path: Path, caplog):
    (tmp_path / "lexicon.txt").write_text("ONE w ah n\nTwo t uw\nTHREE th r iy\nFOUR f ao r\n")
    (tmp_path / "more.txt").write_text("Two, one.\n\nThree!\n")
    corpus = Folder(path=folder, **WHO, lexicon=str(tmp_path / "lexicon.txt"), text=tmp_path / "more.txt")
    taken(corpus, tmp_path / "out")
    assert (tmp_path / "out/lexicon.txt").read_text() == "one w ah n\ntwo t uw\nthree th r iy\n"
    assert (tmp_path / "out/text.txt").read_text() == "two one\nthree\n" and "no pronunciation" not in caplog.text
    (tmp_path / "other.txt").write_text("hello h\n")
    corpus.lexicon = str(tmp_path / "other.txt")
    assert "other.txt: has none of the 3 words of labelled speech (one, three" in fault_of(corpus, tmp_path / "out3")
    corpus.lexicon, corpus.lexicon_words = str(tmp_path / "lexicon.txt"), "all"
    assert taken(corpus, tmp_path / "out2")[1]["words"] == 4


def test_words_of_digits_are_refused_by_letters(folder: Path, tmp_path: Path):
    (folder / "ann/1.txt").write_text("7 dwarfs")
    said = fault_of(Folder(path=folder, **WHO), tmp_path / "out")
    assert "1 words (1 occurrences) are not made of letters alone: 7 (1). Write them as they are said" in said


def test_nothing_to_read(tmp_path: Path):
    with pytest.raises(UserError, match="nothing to read: give --path"):
        Folder().sources()
    with pytest.raises(UserError, match="no dev speech: give --dev-path, or --path"):
        Folder(labelled_path=tmp_path).sources()


def test_mini_librispeech_as_kaldi_has_it_is_that_of_its_own_preparation(tmp_path: Path):
    """To the byte: from one training directory, whose speakers are named, and one to test on."""
    rng = np.random.default_rng(0)
    for part, speakers in (("train-clean-5", range(11, 17)), ("dev-clean-2", range(27, 29))):
        rows: dict[str, list[str]] = {"wav.scp": [], "text": [], "utt2spk": [], "reco2dur": []}
        for speaker in speakers:
            chapter = tmp_path / "LibriSpeech" / part / str(speaker) / "900"
            chapter.mkdir(parents=True)
            said = []
            for number in range(2):
                key = f"{speaker}-900-{number:04d}"
                soundfile.write(chapter / f"{key}.flac", rng.normal(0, 0.1, 8000), 16000)
                said.append(f"{key} O'CLOCK THE FROBNIC")
                rows["wav.scp"].append(f"{key} {chapter / key}.flac")
                rows["utt2spk"].append(f"{key} {speaker}")
                rows["reco2dur"].append(f"{key} 0.5")
            (chapter / f"{speaker}-900.trans.txt").write_text("".join(f"{line}\n" for line in said))
            rows["text"] += said
        for name, lines in rows.items():
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / part / name).write_text("".join(f"{line}\n" for line in lines))
    own = Preparation("mini_librispeech").made(tmp_path, tmp_path / "own", labelled_speakers=0.5)
    who = {
        name: sorted({cut.supervisions[0].speaker for cut in own[name]}) for name in ("labelled", "unlabelled", "dev")
    }
    paths = {"path": tmp_path / "data/train-clean-5", "test_path": tmp_path / "data/dev-clean-2"}
    taken(KaldiData(**paths, **who, case="keep"), tmp_path / "ours")
    for name in SETS:
        assert (tmp_path / f"ours/{name}.jsonl.gz").read_bytes() == (tmp_path / f"own/{name}.jsonl.gz").read_bytes()


@pytest.fixture
def raw(folder: Path, tmp_path: Path) -> Path:
    """Beside the recordings with words, long ones of two others: at 8 kHz with two channels, and without speech."""
    samples, _ = recording([1.0, 2.0, 1.5, 3.0, 6.0])
    silent = np.zeros_like(samples)
    (tmp_path / "raw/zoe").mkdir(parents=True)
    soundfile.write(tmp_path / "raw/zoe/a.wav", np.stack([silent, samples], 1)[::2], 8000)
    soundfile.write(tmp_path / "raw/zoe/b.flac", np.concatenate([samples, samples]), 16000)
    soundfile.write(tmp_path / "raw/zoe/nothing.wav", silent, 16000)
    soundfile.write(tmp_path / "raw/zoe/short.wav", samples[:24000], 16000)
    return tmp_path / "raw"


LONG = CutOptions(longest=10.0)


def cut_corpus(folder: Path, raw: Path) -> Table:
    """Of rows, so that one of the files may have a channel."""
    words = {path: path.with_suffix(".txt").read_text() for path in sorted(folder.glob("*/*.wav"))}
    for name, rows in (("t", words), ("raw", dict.fromkeys(sorted(raw.glob("*/*")), ""))):
        lines = [
            f"{path}\t{path.parent.name}\t{text}\t{1 if path.name == 'a.wav' else ''}\n" for path, text in rows.items()
        ]
        (folder.parent / f"{name}.tsv").write_text("path\tspeaker\ttext\tchannel\n" + "".join(lines))
    return Table(path=folder.parent / "t.tsv", unlabelled_path=folder.parent / "raw.tsv", **WHO, cut=LONG)


def test_long_recordings_without_words_become_utterances(folder: Path, raw: Path, tmp_path: Path, caplog):
    with caplog.at_level("INFO"):
        cuts, report = taken(cut_corpus(folder, raw), tmp_path / "out")
    _, spans = recording([1.0, 2.0, 1.5, 3.0, 6.0])
    found = {name: [(cut.start, cut.end) for cut in cuts["unlabelled"] if cut.recording_id.startswith(name)]
             for name in ("a", "b", "s")}  # fmt: skip
    assert [len(one) for one in found.values()] == [4, 8, 1] and len(cuts["unlabelled"]) == 13
    assert np.abs(np.array(found["a"]) - spans).max() < 0.5 and np.abs(np.array(found["b"][:4]) - spans).max() < 0.5
    told = report["cut"]
    assert (told["recordings"], told["utterances"], told["without_speech"], told["too_short"]) == (3, 12, 1, 0)
    hours = sum(cut.duration for cut in cuts["unlabelled"] if cut.id != "short") / 3600
    assert told["hours_in_utterances"] == pytest.approx(hours) and told["hours_in_two"] == told["divided"] == 0
    assert told["hours_left_out"] == pytest.approx(told["hours"] - hours)
    assert "3 recordings without transcripts and longer than 10 s" in caplog.text
    assert "no speech was found in 1 of them, which are left out: nothing" in caplog.text
    for _, sound, _ in validate_sets({name: tmp_path / f"out/{name}.jsonl.gz" for name in cuts}):
        list(sound)


def test_a_killed_search_for_speech_is_gone_on_with(folder: Path, raw: Path, tmp_path: Path, monkeypatch):
    """Killed as it writes what it has found in its second recording; the other run finds that of the first there."""
    corpus = cut_corpus(folder, raw)
    code = (
        "import os, signal, sys, pickle\n"
        "from pathlib import Path\n"
        "import numpy\n"
        "from understudy.intake.take_in import take_in\n"
        "from understudy.parallel.workers import Workers\n"
        "save, done = numpy.save, []\n"
        "def dying(path, values):\n"
        "    if done:\n"
        "        Path(path).write_bytes(b'half')\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    done.append(save(path, values))\n"
        "numpy.save = dying\n"
        "out = Path(sys.argv[2])\n"
        "with Workers(1) as workers:\n"
        "    take_in(pickle.loads(bytes.fromhex(sys.argv[1])), out, out / 'audio', workers)\n"
    )
    out = tmp_path / "out"
    died = subprocess.run([sys.executable, "-c", code, pickle.dumps(corpus).hex(), str(out)], check=False)
    assert died.returncode == -signal.SIGKILL and len(list((out / "audio").glob("[!.]*.speech.npy"))) == 1
    searched = []
    heard = speech.probabilities
    monkeypatch.setattr(speech, "probabilities", lambda stretch: searched.append(stretch.name) or heard(stretch))
    taken(corpus, out)
    assert searched == ["b", "nothing"]
    taken(corpus, tmp_path / "whole")
    manifest = (out / "unlabelled.jsonl.gz", tmp_path / "whole/unlabelled.jsonl.gz")
    texts = [gzip.decompress(path.read_bytes()).decode() for path in manifest]
    assert texts[0] == texts[1].replace(str(tmp_path / "whole"), str(out))
