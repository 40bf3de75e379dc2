"""The case that the levels were made for: people who say digits, two of them far softer than the others."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.report.test_page import Rows

from understudy.corpus import Utterance, build_cut, read_cuts, write_cuts

ROOT, RATE = Path(__file__).parents[2], 16000
DIGITS = "zero one two three four five six seven eight nine".split()
SPEAKERS = {"labelled": {"g": -24, "j": -21}, "unlabelled": {"l": -22, "n": -26}, "dev": {"y": -38}, "test": {"t": -42}}


def digit(rng: np.random.Generator, seconds: float, level: float) -> np.ndarray:
    """A voiced sound of some pitch between pauses with noise at −75 dBFS; its RMS has this level."""
    time = np.arange(round(0.7 * seconds * RATE)) / RATE
    pitch = rng.uniform(90, 220)
    voiced = sum(np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6)) / k for k in range(1, 12))
    voiced *= 10 ** (level / 20) / np.sqrt((voiced**2).mean())
    pause = np.zeros(round(0.15 * seconds * RATE))
    samples = np.concatenate([pause, voiced, pause])
    return samples + rng.normal(0, 10 ** (-75 / 20), len(samples))


@pytest.fixture
def corpus(tmp_path) -> Path:
    """Ten digits of each of six people in four sets; one digit in ten is shorter than a mask of time."""
    rng = np.random.default_rng(0)
    for name, speakers in SPEAKERS.items():
        cuts = []
        for speaker, level in speakers.items():
            for number, word in enumerate(DIGITS):
                path = tmp_path / f"{number}_{speaker}_0.wav"
                samples = digit(rng, 0.3 if number == 8 else rng.uniform(0.4, 0.8), level + rng.normal(0, 1))
                soundfile.write(path, samples, RATE, subtype="PCM_16")
                cuts.append(build_cut(Utterance(path.stem, path, word, speaker)))
        write_cuts(tmp_path / f"{name}.jsonl.gz", cuts)
    return tmp_path


def validate(corpus: Path, *more: str) -> tuple[str, dict]:
    """What the step says, and its report."""
    sets = "[" + ",".join(str(corpus / f"{name}.jsonl.gz") for name in SPEAKERS) + "]"
    command = [sys.executable, ROOT / "steps/validate_corpus.py", "--cuts", sets, "--out", corpus / "valid", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr, json.loads((corpus / "valid/report.json").read_text())


def test_soft_speakers_and_sets_are_warned_of(corpus):
    said, report = validate(corpus)
    warned = [line.partition(" WARNING ")[2] for line in said.splitlines() if " WARNING " in line]
    assert len(warned) == 2, said
    means = {s: v["mean"] for one in report.values() for s, v in one["levels"]["speakers"].items()}
    for speakers in SPEAKERS.values():
        for speaker, level in speakers.items():
            assert means[speaker] == pytest.approx(level, abs=1)
    assert warned[0].startswith("levels of sets differ by ")
    assert f"the softest is test ({means['t']:.1f} dBFS), the loudest labelled (" in warned[0]
    assert warned[1].startswith("levels of speakers differ by 2") and "normalised online" in warned[1]
    assert (
        f"the softest is t (test, {means['t']:.1f} dBFS), the loudest j (labelled, {means['j']:.1f} dBFS)" in warned[1]
    )
    assert "dev: speech has" in said and "unlabelled: 2 utterances (10.0 %" in said
    assert report["test"]["shorter_than_a_time_mask"] == {"utterances": 1, "hours": pytest.approx(0.3 / 3600)}
    assert report["test"]["levels"]["clipped"] == report["test"]["levels"]["silent"] == {"utterances": 0, "first": []}


def test_levels_that_are_alike_bring_no_warning(corpus):
    for path in (*corpus.glob("*_y_*.wav"), *corpus.glob("*_t_*.wav")):
        samples, _ = soundfile.read(path)
        soundfile.write(path, samples * 10 ** (15 / 20), RATE, subtype="PCM_16")
    assert " WARNING " not in validate(corpus)[0]


def test_a_corpus_without_sets_or_labels_is_told(corpus):
    command = [sys.executable, ROOT / "steps/validate_corpus.py", "--out", corpus / "valid", "--cuts"]
    none = subprocess.run([*command, "[]"], capture_output=True, text=True, check=False)
    assert none.returncode == 1 and "--cuts []: no set to validate" in none.stderr
    dev = subprocess.run([*command, f"[{corpus}/dev.jsonl.gz]"], capture_output=True, text=True, check=False)
    assert dev.returncode == 0 and "none of the sets is called labelled" in dev.stderr and "1 speaker\n" in dev.stderr


def test_without_audio_there_are_no_levels(corpus):
    said, report = validate(corpus, "--check-audio", "false")
    assert " WARNING " not in said and all(one["levels"] is None for one in report.values())
    assert report["dev"]["shorter_than_a_time_mask"]["utterances"] == 1


def test_a_page_shows_what_the_sets_hold(corpus):
    """Its figures are those of the manifests; two utterances are copies, one is clipped, and words are unknown."""
    shutil.copy(corpus / "0_g_0.wav", corpus / "0_t_0.wav")  # a copy from labelled to test, and one within labelled
    shutil.copy(corpus / "1_g_0.wav", corpus / "1_j_0.wav")
    samples, _ = soundfile.read(corpus / "2_g_0.wav")
    soundfile.write(corpus / "2_g_0.wav", np.clip(samples * 100, -1, 1), RATE, subtype="PCM_16")
    for path in (corpus / "labelled.jsonl.gz", corpus / "test.jsonl.gz"):
        cuts = [build_cut(Utterance(cut.id, Path(cut.recording.sources[0].source), cut.supervisions[0].text,
                                    cut.supervisions[0].speaker)) for cut in read_cuts(path)]  # fmt: skip
        write_cuts(path, cuts)
    (corpus / "lexicon.txt").write_text("".join(f"{word.upper()} x\n" for word in DIGITS[:8]))
    said, report = validate(corpus, "--lexicon", str(corpus / "lexicon.txt"))
    assert "1_j_0 = 1_g_0" in said and "0_t_0 (test) = 0_g_0 (labelled)" in said and "corpus.html shows what" in said
    assert report["labelled"]["copies"] == {"utterances": 1, "first": [["1_j_0", "1_g_0"]]}
    assert report["test"]["words"] == {"spoken": 10, "different": 10} and report["labelled"]["repeated_sentences"] == 10
    text = (corpus / "valid/corpus.html").read_text()
    page = Rows(text)
    assert not page.open and all(one.startswith(("#", "data:")) for one in page.addresses)
    assert text.count("<svg") == 1 and "{" not in re.sub(r"(?s)<(style|script|svg).*?</\1>", "", text)
    rows = [[cell.strip() for cell in row] for row in page.rows]
    labelled = next(row for row in rows if row[0] == "labelled")
    assert labelled[1] == "20" and labelled[3] == "2" and labelled[5:9] == ["20", "10", "2 (20.0 %)", "15"]
    assert ["labelled", "1", "0", "1", "2_g_0, 1_j_0 = 1_g_0"] in rows and ["dev", "0", "0", "0", ""] in rows
    assert ["Z", "U+005A", "latin capital letter z", "2", "2", "1", "1"] in rows and ["EIGHT", "2"] in rows
    assert next(row for row in rows if row[0] == "y")[1] == "dev"
    assert "Between sets there are 1: 0_t_0 (test) = 0_g_0 (labelled)." in text


def test_a_page_without_audio_says_so(corpus):
    validate(corpus, "--check-audio", "false")
    text = (corpus / "valid/corpus.html").read_text()
    assert "The audio was not read" in text and "dBFS" not in text and "given (--lexicon)" in text
