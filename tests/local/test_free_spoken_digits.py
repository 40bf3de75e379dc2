"""The preparation of the Free Spoken Digit Dataset, on a small corpus of the same layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.local.preparation import Preparation

from understudy.corpus import read_cuts
from understudy.step import UserError

preparation = Preparation("free_spoken_digits")
SPEAKERS = ("george", "jackson", "nicolas", "yweweler", "lucas", "theo")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two digits twice of each speaker, a tone of 440 Hz at 8 kHz."""
    folder = tmp_path / "digits/recordings"
    folder.mkdir(parents=True)
    for speaker in SPEAKERS:
        for digit in (0, 7):
            for take in range(2):
                tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2000) / 8000)
                soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", tone, 8000, subtype="PCM_16")
    return folder.parent


def test_sets_transcripts_lexicon_and_audio(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = preparation.command("--corpus-dir", corpus, "--out", out)
    assert done.returncode == 0, done.stderr
    cuts = {name: list(read_cuts(out / f"{name}.jsonl.gz")) for name in ("labelled", "unlabelled", "dev", "test")}
    assert {name: len(found) for name, found in cuts.items()} == {"labelled": 8, "unlabelled": 8, "dev": 4, "test": 4}
    assert {cut.supervisions[0].speaker for cut in cuts["test"]} == {"theo"}
    assert {cut.id.split("_")[0]: cut.supervisions[0].text for cut in cuts["dev"]} == {"0": "ZERO", "7": "SEVEN"}
    assert "SEVEN S EH V AH N" in (out / "lexicon.txt").read_text().splitlines()
    samples, rate = soundfile.read(cuts["test"][0].recording.sources[0].source)
    assert rate == 16_000 and len(samples) == 4000 == cuts["test"][0].recording.num_samples
    spectrum = np.abs(np.fft.rfft(samples[1000:3000] * np.hanning(2000)))
    assert spectrum.argmax() * 8 == 440 and spectrum[600:].max() < 1e-3 * spectrum.max()  # nothing above 4.8 kHz


def made(corpus: Path, out: Path, **options: object) -> dict[str, int]:
    """Sizes of the sets that are made here, without a process of their own."""
    module = preparation.module()
    module.run(module.Options(out=out, corpus_dir=corpus, **options), None)
    return {path.name.split(".")[0]: len(list(read_cuts(path))) for path in out.glob("*.gz")}


def test_speakers_may_be_chosen(corpus: Path, tmp_path: Path) -> None:
    chosen = {"test": ["lucas", "theo"], "dev": ["yweweler"], "unlabelled": []}
    assert made(corpus, tmp_path / "data", **chosen) == {"labelled": 8, "dev": 4, "test": 8}


def test_faults_are_said_plainly(corpus: Path, tmp_path: Path) -> None:
    for folder, options, said in (
        (tmp_path, {}, "no recordings/ in it"),
        (corpus, {"test": ["somebody"]}, "somebody: no recording of such a speaker"),
        (corpus, {"test": ["george"]}, "in both labelled and test"),
    ):
        with pytest.raises(UserError, match=said):
            made(folder, tmp_path / "x", **options)
    (corpus / "recordings/notes.wav").write_bytes(b"")
    with pytest.raises(UserError, match=r"expected a name such as 7_jackson_32\.wav"):
        made(corpus, tmp_path / "x")
    assert not list((tmp_path / "x").glob("*.jsonl.gz"))


def test_without_a_corpus_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--corpus-dir .*--download-dir"):
        made(None, tmp_path / "data")
