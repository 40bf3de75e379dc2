"""steps/make_encoder_features.py with a tiny Whisper: killed, resumed, with other weights, and without any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from lhotse import CutSet
from tests.encoders.moments import cut_of, noise
from tests.encoders.tiny import needs_transformers, save_whisper
from tests.train.toy_speech import kill_when

from understudy.corpus import write_cuts
from understudy.features import load_frames
from understudy.step import read_json

ROOT = Path(__file__).parents[2]


def command(folder: Path, out: str) -> list:
    """The step, for a set of one manifest."""
    return [
        sys.executable, ROOT / "steps/make_encoder_features.py", "--cuts", f"[{folder / 'labelled.jsonl.gz'}]",
        "--encoder.model", folder / "ears", "--encoder.context", "0.3", "--shard-size", "1", "--jobs", "1",
        "--encoder.window", "2", "--out", folder / out,
    ]  # fmt: skip


def frames(folder: Path) -> list[np.ndarray]:
    """Of every cut."""
    return [load_frames(cut) for cut in CutSet.from_file(folder / "labelled.jsonl.gz")]


@needs_transformers
def test_killed_features_end_as_if_unbroken_and_other_weights_are_noticed(tmp_path: Path) -> None:
    save_whisper(tmp_path / "ears")
    write_cuts(tmp_path / "labelled.jsonl.gz", [cut_of(tmp_path, f"u{n}", noise(9000 * n, n)) for n in range(1, 9)])
    subprocess.run(command(tmp_path, "whole"), check=True, capture_output=True)
    kill_when(command(tmp_path, "killed"), lambda: len(list(tmp_path.glob("killed/labelled/*.jsonl.gz"))) > 1)
    assert not (tmp_path / "killed/labelled.jsonl.gz").exists()
    subprocess.run(command(tmp_path, "killed"), check=True, capture_output=True)
    assert all(
        np.array_equal(*pair) for pair in zip(frames(tmp_path / "whole"), frames(tmp_path / "killed"), strict=True)
    )
    report = read_json(tmp_path / "killed/report.json")
    assert report["features"].endswith(": ears, last layer") and report["sets"]["labelled"]["bytes_per_frame"] > 0
    config = tmp_path / "ears/config.json"
    config.write_text(config.read_text().replace('"scale_embedding": false', '"scale_embedding": true'))
    done = subprocess.run(command(tmp_path, "killed"), check=True, capture_output=True, text=True)
    assert "option weights: " in done.stderr  # made anew, and said why
    assert read_json(tmp_path / "killed/report.json")["features"] != report["features"]


def test_a_folder_without_weights_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ears").mkdir()
    write_cuts(tmp_path / "labelled.jsonl.gz", [cut_of(tmp_path, "u", noise(16000))])
    done = subprocess.run(command(tmp_path, "out"), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"error: {tmp_path / 'ears'}: has no weights.")
    assert len(done.stderr.splitlines()) == 1


def test_a_set_to_normalise_on_has_to_be_there(tmp_path: Path) -> None:
    done = subprocess.run([*command(tmp_path, "out"), "--normalise-on", "train"], capture_output=True, text=True)
    assert done.returncode != 0 and "--normalise-on train: not one of the sets labelled" in done.stderr
