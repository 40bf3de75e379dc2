"""Corpora that Lhotse prepares, in the layouts of two that are small."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
from pathlib import Path

import lhotse.recipes
import pytest
from tests.intake.sounds import tone
from tests.intake.test_take_in import taken

from understudy.intake import Prepared, layout
from understudy.intake.command import digests
from understudy.step import UserError

Libri, YesNo = layout("lhotse:librispeech"), layout("lhotse:yesno")

WORDS = {0: "NOUGHT", 1: "ONE", 11: "ELEVEN", 12: "TWELVE", 13: "THIRTEEN", 21: "TWENTY-ONE"}


@pytest.fixture
def libri(tmp_path: Path) -> Path:
    """Two parts of mini LibriSpeech, with three speakers and one."""
    for part, speaker in (("train-clean-5", 11), ("train-clean-5", 12), ("train-clean-5", 13), ("dev-clean-2", 21)):
        folder = tmp_path / f"LibriSpeech/{part}/{speaker}/7"
        names = [f"{speaker}-7-{number:04d}" for number in range(2)]
        for name in names:
            tone(folder / f"{name}.flac", 0.4)
        lines = [f"{name} IT'S {WORDS[speaker]} NOT {WORDS[number]}\n" for number, name in enumerate(names)]
        (folder / f"{speaker}-7.trans.txt").write_text("".join(lines))
    return tmp_path / "LibriSpeech"


def test_splits_become_sets(libri: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level("INFO", "understudy"):
        cuts, report = taken(Libri(path=libri, test="13,"), tmp_path / "out")
    speakers = {name: {cut.supervisions[0].speaker for cut in found} for name, found in cuts.items()}
    assert speakers == {"labelled": {"11", "12"}, "dev": {"21"}, "test": {"13"}}
    assert cuts["dev"][0].supervisions[0].text == "it's twenty one not nought" and cuts["dev"][0].id == "21-7-0000"
    assert report["sets"]["dev"]["utterances"] == 2
    assert "librispeech, dev-clean-2: 2 utterances: dev" in caplog.text
    assert "librispeech, train-clean-5: 6 utterances: shared out by speaker" in caplog.text


def test_splits_may_be_other_sets_than_their_names_tell(libri: Path, tmp_path: Path):
    splits = {"dev-clean-2": "test", "train-clean-5": "path"}
    cuts, _ = taken(Libri(path=libri, splits=splits, dev="11,", labelled="12,"), tmp_path / "out")
    speakers = {name: {cut.supervisions[0].speaker for cut in found} for name, found in cuts.items()}
    assert speakers == {"labelled": {"12"}, "unlabelled": {"13"}, "dev": {"11"}, "test": {"21"}}
    with pytest.raises(UserError, match="train-clean-5 of --path are both labelled: leave the first out, or say"):
        taken(Libri(path=libri, labelled_path=libri, splits={"train-clean-5": "labelled"}), tmp_path / "two")
    with pytest.raises(UserError, match=r"--splits train: .* no such split; there are dev-clean-2, train-clean-5"):
        taken(Libri(path=libri, splits={"train": "labelled"}), tmp_path / "three")


def test_options_go_to_the_preparation(libri: Path, tmp_path: Path):
    corpus = Libri(path=libri, option={"dataset_parts": ["train-clean-5"], "normalize_text": "lower"}, case="keep")
    read = corpus.read_all()
    assert list(read) == ["path"] and read["path"][0].text == "it's eleven not nought"
    with pytest.raises(
        UserError, match="--option parts: Lhotse's prepare_librispeech has no such option; it has corpus_dir, "
    ):
        Libri(path=libri, option={"parts": "x"}).read_all()


def test_a_corpus_without_speakers(tmp_path: Path):
    """yesno: all its recordings are of one person, whom it does not name; two splits, and dev is shared out."""
    for bits in itertools.islice(itertools.product("01", repeat=8), 60):
        tone(tmp_path / f"waves_yesno/{'_'.join(bits)}.wav", 0.2, 8000)
    with pytest.raises(UserError, match=r"test, 0_0_0_0_0_0_0_1: no speaker. Say --one-speaker-each true"):
        taken(YesNo(path=tmp_path / "waves_yesno"), tmp_path / "none")
    cuts, report = taken(YesNo(path=tmp_path / "waves_yesno", one_speaker_each=True), tmp_path / "out")
    assert {name: len(found) for name, found in cuts.items()} == {"labelled": 27, "dev": 3, "test": 30}
    assert (tmp_path / "out/lexicon.txt").read_text() == "no n o\nyes y e s\n"
    assert {cut.recording.sampling_rate for cut in cuts["test"]} == {16000} and report["words"] == 2


def test_what_is_refused_is_told(tmp_path: Path):
    with pytest.raises(UserError, match="lhotse:libri: Lhotse prepares no such corpus; it prepares libri"):
        layout("lhotse:libri")(path=tmp_path).read_all()
    with pytest.raises(
        UserError, match=r"Lhotse's prepare_yesno refuses it \(AssertionError.*laid out as that wants it"
    ):
        YesNo(path=tmp_path).read_all()
    with pytest.raises(
        UserError, match=r"prepare_heroico wants transcript_dir too: give --option '\{transcript_dir: …\}'"
    ):
        layout("lhotse:heroico")(path=tmp_path).read_all()
    for name in ("lhotse:", "other:yesno"):
        with pytest.raises(KeyError):
            layout(name)


def test_levels_of_splits_and_recordings_without_words(tmp_path: Path, monkeypatch, caplog):
    """As preparations by language give them, and some corpora have recordings of which nothing is told."""
    recordings = [lhotse.Recording.from_file(tone(tmp_path / f"{name}.wav")) for name in "ab"]
    said = [lhotse.SupervisionSegment("u", "b", 0.1, 0.2, text="one", speaker="eve")]
    parts = {"recordings": lhotse.RecordingSet.from_recordings(recordings),
             "supervisions": lhotse.SupervisionSet.from_segments(said)}  # fmt: skip
    monkeypatch.setattr(lhotse.recipes, "prepare_toy", lambda corpus_dir: {"en": {"valid": parts}}, raising=False)
    monkeypatch.setattr(lhotse.recipes, "prepare_flat", lambda corpus_dir: parts, raising=False)
    monkeypatch.setattr(
        "understudy.intake.read_prepared._arguments", lambda prepare, path, option, scratch: {"corpus_dir": path}
    )
    with caplog.at_level("WARNING", "understudy"):
        (piece,) = Prepared.of("toy")(path=tmp_path).read_all()["dev"]
    assert (piece.id, piece.recording, piece.start, piece.speaker) == ("b", "b", 0.1, "eve")
    assert "en/valid: 1 recording without supervisions, which tell speakers, are left out: a" in caplog.text
    assert [p.id for p in Prepared.of("flat")(path=tmp_path).read_all()["path"]] == ["b"]
    alone = Prepared.of("flat")(path=tmp_path, one_speaker_each=True).read_all()["path"]
    assert [(p.id, p.speaker, p.text) for p in alone] == [("a", "a", None), ("b", "b", "one")]


def test_what_lhotse_warns_of_is_told_and_the_root_logger_is_left_alone(libri: Path):
    """Some modules of Lhotse's recipes set up the root logger, by which all that other packages log came out."""
    (libri / "train-clean-5/11/7/11-7-0001.flac").unlink()
    code = textwrap.dedent("""
        import logging, sys
        from pathlib import Path
        from understudy.intake import layout
        from understudy.step.log import log
        log.addHandler(logging.StreamHandler(sys.stdout))
        print(len(layout("lhotse:librispeech")(path=Path(sys.argv[1])).read_all()["path"]))
        print(logging.getLogger().handlers, logging.getLogger().level)
    """)
    done = subprocess.run([sys.executable, "-c", code, str(libri)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("No such file:") and first.endswith("11-7-0001.flac") and rest == ["5", "[] 30"]


def test_a_word_that_is_mended_makes_another_corpus(libri: Path, tmp_path: Path, monkeypatch):
    before, text = digests(Libri(path=libri)), libri / "train-clean-5/11/7/11-7.trans.txt"
    text.write_text(text.read_text().replace("NOT", "TON"))
    assert digests(Libri(path=libri)) != before
    (tmp_path / "ali").mkdir()
    monkeypatch.chdir(tmp_path)
    made = Libri(path=Path("LibriSpeech"), option={"alignments_dir": "ali", "num_jobs": 2}).absolute()
    assert made.option == {"alignments_dir": str(tmp_path / "ali"), "num_jobs": 2} and made.path == libri
