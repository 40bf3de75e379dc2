"""Mini LibriSpeech's preparation, on a small corpus of the same layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.local.preparation import SETS, Preparation

from understudy.corpus import read_cuts

preparation = Preparation("mini_librispeech")
command, made, fault_of = preparation.command, preparation.made, preparation.fault_of


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Six training speakers and two test speakers of one chapter of two utterances each."""
    root, rng = tmp_path / "LibriSpeech", np.random.default_rng(0)
    for part, speakers in (("train-clean-5", range(11, 17)), ("dev-clean-2", range(27, 29))):
        for speaker in speakers:
            chapter = root / part / str(speaker) / "900"
            chapter.mkdir(parents=True)
            for number in range(2):
                audio = chapter / f"{speaker}-900-{number:04d}.flac"
                soundfile.write(audio, rng.normal(0, 0.1, 8000), 16000)
            lines = (f"{speaker}-900-{number:04d} O'CLOCK THE FROBNIC\n" for number in range(2))
            (chapter / f"{speaker}-900.trans.txt").write_text("".join(lines))
    return root


def test_sets_are_split_by_speaker(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = command("--corpus-dir", corpus, "--labelled-speakers", 0.5, "--dev-speakers", 2, "--out", out)
    assert done.returncode == 0, done.stderr
    cuts = {name: list(read_cuts(out / f"{name}.jsonl.gz")) for name in SETS}
    assert {name: len(found) for name, found in cuts.items()} == dict.fromkeys(SETS, 4)
    speakers = {name: {cut.supervisions[0].speaker for cut in found} for name, found in cuts.items()}
    assert speakers["test"] == {"27", "28"}
    assert sum(map(len, speakers.values())) == len(set.union(*speakers.values())) == 8
    everything = [cut for found in cuts.values() for cut in found]
    assert {cut.supervisions[0].text for cut in everything} == {"O'CLOCK THE FROBNIC"}
    assert {(cut.recording.num_samples, cut.recording.sampling_rate) for cut in everything} == {(8000, 16000)}


def test_all_labelled_leaves_no_unlabelled_manifest(corpus: Path, tmp_path: Path) -> None:
    assert set(made(corpus.parent, tmp_path / "data")) == {"labelled", "dev", "test"}


def further(corpus: Path, part: str, text: str = "O'CLOCK") -> Path:
    """Another part of LibriSpeech with one utterance."""
    chapter = corpus / part / "61/70968"
    chapter.mkdir(parents=True)
    soundfile.write(chapter / "61-70968-0000.flac", np.zeros(8000), 16000)
    (chapter / "61-70968.trans.txt").write_text(f"61-70968-0000 {text}\n")
    return corpus / part


def test_further_parts_are_unlabelled_speech_whose_text_no_language_model_knows(corpus: Path, tmp_path: Path) -> None:
    other, out = further(corpus, "dev-clean", "QUITE OTHER WORDS"), tmp_path / "data"
    done = command("--corpus-dir", corpus, "--also-unlabelled", f"[{other}]", "--out", out)
    assert done.returncode == 0, done.stderr
    (cut,) = read_cuts(out / "unlabelled.jsonl.gz")
    assert cut.supervisions[0].speaker == "61" and "QUITE" not in (out / "text.txt").read_text()
    assert len(list(read_cuts(out / "labelled.jsonl.gz"))) == 6
    twice = corpus / "train-clean-5"
    done = command("--corpus-dir", corpus, "--also-unlabelled", f"[{twice}]", "--out", tmp_path / "again")
    assert done.returncode == 1 and "and --also-unlabelled" in done.stderr


def test_further_parts_are_test_sets_of_their_own(corpus: Path, tmp_path: Path) -> None:
    further(corpus, "test-clean")
    out = tmp_path / "data"
    assert command("--corpus-dir", corpus, "--also-test", f"[{corpus / 'test-clean'}]", "--out", out).returncode == 0
    (cut,) = read_cuts(out / "test-clean.jsonl.gz")
    assert cut.supervisions[0].speaker == "61" and len(list(read_cuts(out / "test.jsonl.gz"))) == 4
    (corpus / "test-clean").rename(corpus / "dev")
    done = command("--corpus-dir", corpus, "--also-test", f"[{corpus / 'dev'}]", "--out", tmp_path / "again")
    assert done.returncode == 1 and "'dev' must be letters" in done.stderr
    done = command("--corpus-dir", corpus, "--also-test", f"[{corpus / 'dev-clean-2'}]", "--out", tmp_path / "more")
    assert done.returncode == 1 and "speaker 27 is in both" in done.stderr


def test_the_dictionary_gives_pronunciations_and_missing_words_are_said(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "data"
    made(corpus, out, lexicon_words="all")
    lines = (out / "lexicon.txt").read_text().splitlines()
    assert {"THE DH AH", "THE DH IY", "O'CLOCK AH K L AA K"} <= set(lines)
    assert len(lines) == len(set(lines)) > 100_000
    assert not any(character.isdigit() for line in lines for character in line)
    assert "test: 1 words (4 occurrences) have no pronunciation" in caplog.text


def test_the_vocabulary_is_that_of_the_training_speakers(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in corpus.glob("dev-clean-2/*/*/*.trans.txt"):
        path.write_text(path.read_text().replace("THE", "AN"))
    out = tmp_path / "data"
    made(corpus, out, labelled_speakers=0.5)
    assert {line.split()[0] for line in (out / "lexicon.txt").read_text().splitlines()} == {"THE", "O'CLOCK"}
    assert "test: 2 words (8 occurrences) have no pronunciation" in caplog.text
    assert (out / "text.txt").read_text() == 8 * "O'CLOCK THE FROBNIC\n"
    made(corpus, out, labelled_speakers=0.5, common_words=4)
    words = {line.split()[0] for line in (out / "lexicon.txt").read_text().splitlines()}
    assert words == {"THE", "O'CLOCK", "I", "AND", "TO"}


def test_a_given_lexicon_is_used(corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given, out = tmp_path / "librispeech-lexicon.txt", tmp_path / "data"
    given.write_text("FROBNIC\tF R AA1 B N IH0 K\nTHE\tDH AH0\nTHE\tDH AH1\nthe\tDH IY0\n")
    made(corpus, out, lexicon=given)
    assert (out / "lexicon.txt").read_text() == "FROBNIC F R AA B N IH K\nTHE DH AH\nTHE DH IY\n"
    assert "no pronunciation: O'CLOCK" in caplog.text
    given.write_text("THE\n")
    assert f"{given}:1: THE has no phones" in fault_of(corpus, tmp_path / "bad", lexicon=given)


def test_librispeechs_lexicon_and_trigram_come_together(corpus: Path, tmp_path: Path) -> None:
    lm, out = tmp_path / "lm", tmp_path / "data"
    lm.mkdir()
    (lm / "librispeech-lexicon.txt").write_text("FROBNIC\tF R AA1 B N IH0 K\nTHE\tDH AH0\nSNARK\tS N AA1 R K\n")
    assert "no 3-gram.pruned.3e-7.arpa.gz in it" in fault_of(corpus, tmp_path / "bad", lm="librispeech", lm_dir=lm)
    (lm / "3-gram.pruned.3e-7.arpa.gz").write_bytes(b"an ARPA")
    made(corpus, out, lm="librispeech", lm_dir=lm)
    assert (out / "lexicon.txt").read_text() == "FROBNIC F R AA B N IH K\nTHE DH AH\nSNARK S N AA R K\n"
    assert (out / "lm.arpa.gz").read_bytes() == b"an ARPA"


def test_where_they_cannot_be_fetched_a_language_model_is_estimated(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "data"
    made(corpus, out, lm="librispeech")
    assert not (out / "lm.arpa.gz").exists() and "a trigram of the training sentences" in caplog.text
    assert {line.split()[0] for line in (out / "lexicon.txt").read_text().splitlines()} == {"THE", "O'CLOCK"}


def test_audio_without_transcript_is_counted_and_other_formats_are_found(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chapter = corpus / "dev-clean-2" / "27" / "900"
    samples, rate = soundfile.read(chapter / "27-900-0000.flac")
    soundfile.write(chapter / "27-900-0007.flac", samples, rate)
    soundfile.write(chapter / "27-900-0000.wav", samples, rate)
    (chapter / "27-900-0000.flac").unlink()
    sources = [Path(cut.recording.sources[0].source).name for cut in made(corpus, tmp_path / "data")["test"]]
    assert sources[:2] == ["27-900-0000.wav", "27-900-0001.flac"] and len(sources) == 4
    assert "1 audio files have no transcript, left out: 27-900-0007" in caplog.text


def test_faults_are_said_plainly(corpus: Path, tmp_path: Path) -> None:
    assert "no train-clean-5/ in it" in fault_of(corpus / "dev-clean-2", tmp_path / "a")
    chapter = corpus / "train-clean-5" / "12" / "900"
    transcripts = chapter / "12-900.trans.txt"
    audio = (chapter / "12-900-0001.flac").rename(tmp_path / "elsewhere.flac")
    assert f"{transcripts}, line 2: 12-900-0001 has no audio file" in fault_of(corpus, tmp_path / "b")
    audio.rename(chapter / "12-900-0001.flac")
    for bad in ("12-900-0001", "13-900-0001 THE", ""):
        transcripts.write_text(f"12-900-0000 THE\n{bad}\n")
        assert f"{transcripts}, line 2: expected '12-900-NUMBER WORDS'" in fault_of(corpus, tmp_path / "c")
    for path in (corpus / "dev-clean-2").glob("*/*/*.trans.txt"):
        path.unlink()
    transcripts.write_text("12-900-0000 THE\n12-900-0001 THE\n")
    assert "dev-clean-2: no SPEAKER/CHAPTER/*.trans.txt in it" in fault_of(corpus, tmp_path / "d")


def test_without_a_corpus_the_way_out_is_named(tmp_path: Path) -> None:
    done = command("--out", tmp_path / "data")
    assert done.returncode == 1 and "--corpus-dir" in done.stderr and "--download-dir" in done.stderr
