"""AN4's preparation, on a small corpus of the same layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.local.preparation import Preparation

from understudy.corpus import read_cuts

prepare = Preparation("an4").command


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Six training speakers and one test speaker of two utterances; one file is an original, headerless."""
    root, rows = tmp_path / "an4", {"train": [], "test": []}
    (root / "etc").mkdir(parents=True)
    for part, folder, speakers in (("train", "an4_clstk", "abcdef"), ("test", "an4test_clstk", "z")):
        for speaker in speakers:
            (root / "wav" / folder / speaker).mkdir(parents=True)
            for number in range(2):
                name = f"{folder}/{speaker}/an{number}-{speaker}-b"
                rows[part].append(name)
                samples = (np.sin(np.arange(8000)) * 8000).astype(np.int16)
                if (speaker, number) == ("a", 0):
                    samples.astype(">i2").tofile(root / "wav" / f"{name}.raw")
                else:
                    soundfile.write(root / "wav" / f"{name}.wav", samples, 16000, subtype="PCM_16")
    for part, names in rows.items():
        (root / "etc" / f"an4_{part}.fileids").write_text("\n".join(names) + "\n")
        lines = [f"<s> GO(2) ++NOISE++ YES </s> ({Path(name).name})\n" for name in names]
        (root / "etc" / f"an4_{part}.transcription").write_text("".join(lines))
    (root / "etc" / "an4.dic").write_text("GO   G OW\nGO(2)  G AH\nYES  Y EH S\n")
    return root


def test_sets_transcripts_and_lexicon(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = prepare("--corpus-dir", corpus, "--labelled-speakers", 0.5, "--dev-speakers", 2, "--out", out)
    assert done.returncode == 0, done.stderr
    cuts = {name: list(read_cuts(out / f"{name}.jsonl.gz")) for name in ("labelled", "unlabelled", "dev", "test")}
    assert {name: len(found) for name, found in cuts.items()} == {
        "labelled": 4, "unlabelled": 4, "dev": 4, "test": 4 // 2,
    }  # fmt: skip
    everything = [cut for found in cuts.values() for cut in found]
    assert {cut.supervisions[0].text for cut in everything} == {"GO YES"}
    assert {cut.recording.num_samples for cut in everything} == {8000}
    original = next(cut for cut in everything if cut.id == "an0-a-b")
    assert np.allclose(original.load_audio()[0], np.sin(np.arange(8000)) * 8000 / 32768, atol=1e-4)
    assert (out / "lexicon.txt").read_text() == "GO G OW\nGO G AH\nYES Y EH S\n"


def test_all_labelled_leaves_no_unlabelled_manifest(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    assert prepare("--corpus-dir", corpus, "--dev-speakers", 2, "--out", out).returncode == 0
    assert not (out / "unlabelled.jsonl.gz").exists()


def test_faults_are_said_plainly(corpus: Path, tmp_path: Path) -> None:
    missing = prepare("--corpus-dir", tmp_path, "--out", tmp_path / "x")
    assert missing.returncode == 1 and "Give the folder that holds etc/ and wav/" in missing.stderr
    (corpus / "wav" / "an4_clstk" / "b" / "an1-b-b.wav").unlink()
    gone = prepare("--corpus-dir", corpus, "--dev-speakers", 2, "--out", tmp_path / "y")
    assert gone.returncode == 1 and "an1-b-b: no audio file" in gone.stderr
    assert not (tmp_path / "y" / "labelled.jsonl.gz").exists()


def test_without_a_corpus_the_way_out_is_named(tmp_path: Path) -> None:
    done = prepare("--out", tmp_path / "data")
    assert done.returncode == 1 and "--corpus-dir" in done.stderr and "--download-dir" in done.stderr
