"""speechocean762's preparation, on a small corpus of the same layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.local.preparation import SETS, Preparation

from understudy.corpus import read_cuts

preparation = Preparation("speechocean762")
command, made, fault_of = preparation.command, preparation.made, preparation.fault_of


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Six training speakers and two test speakers of two utterances each."""
    root, rng = tmp_path / "speechocean762", np.random.default_rng(0)
    for part, speakers in (("train", range(1, 7)), ("test", range(7, 9))):
        (root / part).mkdir(parents=True)
        tables: dict[str, list[str]] = {"wav.scp": [], "text": [], "utt2spk": []}
        for speaker in speakers:
            folder = f"WAVE/SPEAKER{speaker:04d}"
            (root / folder).mkdir(parents=True)
            for number in (11, 35):
                key = f"{speaker:05d}{number:04d}"
                soundfile.write(root / folder / f"{key}.WAV", rng.normal(0, 0.1, 8000), 16000, format="WAV")
                tables["wav.scp"].append(f"{key}\t{folder}/{key}.WAV\n")
                tables["text"].append(f"{key}\tMARK IS A BEAR\n")
                tables["utt2spk"].append(f"{key} {speaker:04d}\n")
        for name, rows in tables.items():
            (root / part / name).write_text("".join(rows))
    (root / "resource").mkdir()
    (root / "resource" / "lexicon.txt").write_text(
        "A\tAH0\nA\tEY0\nBEAR\tB EH0 R\nIS\tIH Z\nIS\tIH0 Z\nMARK\tM AA0 R K\nOTHER\tAH1 DH ER0\n"
    )
    return root


def test_sets_are_split_by_speaker(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = command("--corpus-dir", corpus, "--labelled-speakers", 0.5, "--dev-speakers", 2, "--out", out)
    assert done.returncode == 0, done.stderr
    cuts = {name: list(read_cuts(out / f"{name}.jsonl.gz")) for name in SETS}
    assert {name: len(found) for name, found in cuts.items()} == dict.fromkeys(SETS, 4)
    speakers = {name: {cut.supervisions[0].speaker for cut in found} for name, found in cuts.items()}
    assert speakers["test"] == {"0007", "0008"}
    assert sum(map(len, speakers.values())) == len(set.union(*speakers.values())) == 8
    everything = [cut for found in cuts.values() for cut in found]
    assert {cut.supervisions[0].text for cut in everything} == {"MARK IS A BEAR"}
    assert (out / "text.txt").read_text() == 8 * "MARK IS A BEAR\n"  # of dev and test nothing
    assert {(cut.recording.num_samples, cut.recording.sampling_rate) for cut in everything} == {(8000, 16000)}


def test_some_test_speakers_may_be_unlabelled_speech(corpus: Path, tmp_path: Path) -> None:
    cuts = made(corpus, tmp_path / "data", labelled_speakers=0.5, unlabelled_test_speakers=0.5)
    speakers = {name: {cut.supervisions[0].speaker for cut in found} for name, found in cuts.items()}
    assert {name: len(found) for name, found in speakers.items()} == {
        "labelled": 2, "unlabelled": 3, "dev": 2, "test": 1,
    }  # fmt: skip
    assert len(set.union(*speakers.values())) == 8
    assert speakers["test"] < {"0007", "0008"} and speakers["unlabelled"] & {"0007", "0008"}
    # What they said is not for the language model.
    assert (tmp_path / "data" / "text.txt").read_text() == 8 * "MARK IS A BEAR\n"


@pytest.mark.parametrize("share", [-0.1, 0.9, 1.0])
def test_somebody_must_be_tested(corpus: Path, tmp_path: Path, share: float) -> None:
    said = fault_of(corpus, tmp_path / "data", unlabelled_test_speakers=share)
    assert f"--unlabelled-test-speakers {share}" in said and "leave speakers to test on" in said


def test_all_labelled_leaves_no_unlabelled_manifest(corpus: Path, tmp_path: Path) -> None:
    assert set(made(corpus, tmp_path / "data")) == {"labelled", "dev", "test"}


def test_the_lexicon_has_no_stress_and_missing_words_are_said(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transcripts = corpus / "test" / "text"
    transcripts.write_text(transcripts.read_text().replace("BEAR", "PANDA", 1))
    made(corpus, tmp_path / "data")
    assert (tmp_path / "data" / "lexicon.txt").read_text() == (
        "A AH\nA EY\nBEAR B EH R\nIS IH Z\nMARK M AA R K\nOTHER AH DH ER\n"
    )  # fmt: skip
    assert "test: 1 words (1 occurrences) have no pronunciation: PANDA" in caplog.text
    assert caplog.text.count("no pronunciation") == 1


def test_audio_in_another_format_is_found(corpus: Path, tmp_path: Path) -> None:
    original = corpus / "WAVE" / "SPEAKER0007" / "000070011.WAV"
    soundfile.write(original.with_suffix(".flac"), *soundfile.read(original))
    original.unlink()
    sources = [cut.recording.sources[0].source for cut in made(corpus, tmp_path / "data")["test"]]
    assert [Path(source).suffix for source in sources] == [".flac", ".WAV", ".WAV", ".WAV"]


def test_missing_files_are_said_plainly(corpus: Path, tmp_path: Path) -> None:
    assert "no train/ in it" in fault_of(tmp_path, tmp_path / "a")
    audio = corpus / "WAVE" / "SPEAKER0003" / "000030035.WAV"
    audio.rename(audio.with_suffix(".bak"))
    assert f"{audio}: no audio file" in fault_of(corpus, tmp_path / "b")
    audio.with_suffix(".bak").rename(audio)
    (corpus / "test" / "utt2spk").unlink()
    assert f"{corpus / 'test' / 'utt2spk'}: no such file" in fault_of(corpus, tmp_path / "c")


def test_faults_of_a_table_name_its_line(corpus: Path, tmp_path: Path) -> None:
    transcripts = corpus / "train" / "text"
    first, second, *rest = transcripts.read_text().splitlines(keepends=True)
    transcripts.write_text(first + second.split("\t")[0] + "\n" + "".join(rest))
    assert f"{transcripts}, line 2: expected an utterance and its value" in fault_of(corpus, tmp_path / "a")
    transcripts.write_text(first + second + first + "".join(rest))
    assert f"{transcripts}, line 3: 000010011 comes twice" in fault_of(corpus, tmp_path / "b")
    transcripts.write_text(first + "".join(rest))
    assert "wav.scp and text differ by 1 utterances (000010035)" in fault_of(corpus, tmp_path / "c")


def test_a_speaker_of_both_parts_is_refused(corpus: Path, tmp_path: Path) -> None:
    table = corpus / "test" / "utt2spk"
    table.write_text(table.read_text().replace(" 0007", " 0001"))
    assert "speaker 0001 is in both" in fault_of(corpus, tmp_path / "data")


def test_without_a_corpus_the_way_out_is_named(tmp_path: Path) -> None:
    done = command("--out", tmp_path / "data")
    assert done.returncode == 1 and "--corpus-dir" in done.stderr and "--download-dir" in done.stderr
