"""steps/transcribe_whisper.py with a tiny Whisper: killed, resumed, with other weights, and without a tokeniser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.encoders.moments import cut_of, noise
from tests.encoders.tiny import needs_ctranslate2, needs_transformers, save_recogniser
from tests.train.toy_speech import kill_when

from understudy.corpus import write_cuts
from understudy.pseudo.transcripts import read_transcripts
from understudy.step import read_json

ROOT = Path(__file__).parents[2]
pytestmark = [needs_transformers, needs_ctranslate2]
CUTS = 4


def command(folder: Path, out: str) -> list:
    """The step, for one manifest."""
    return [
        sys.executable, ROOT / "steps/transcribe_whisper.py", "--cuts", f"[{folder / 'unlabelled.jsonl.gz'}]",
        "--model", folder / "model", "--shard-size", "1", "--jobs", "1", "--beam", "1", "--out", folder / out,
    ]  # fmt: skip


def test_killed_transcripts_end_as_if_unbroken_and_other_weights_are_noticed(tmp_path: Path) -> None:
    save_recogniser(tmp_path)
    write_cuts(
        tmp_path / "unlabelled.jsonl.gz", [cut_of(tmp_path, f"u{n}", noise(9000 * (n + 1), n)) for n in range(CUTS)]
    )
    subprocess.run(command(tmp_path, "whole"), check=True, capture_output=True)
    shards = tmp_path / "killed/unlabelled"
    kill_when(command(tmp_path, "killed"), lambda: any(shards.glob("0*.json")))
    kept = {path: path.stat().st_mtime_ns for path in shards.glob("0*.json")}
    assert kept and not (shards / "text").exists()
    subprocess.run(command(tmp_path, "killed"), check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    for name in ("text", "text.jsonl"):
        assert (shards / name).read_bytes() == (tmp_path / "whole/unlabelled" / name).read_bytes()
    plain, sure = read_transcripts(shards / "text"), read_transcripts(shards / "text.jsonl")
    assert list(plain) == [f"u{n}" for n in range(CUTS)] and all(one.log_probability < 0 for one in sure.values())
    assert {name: one.text for name, one in plain.items()} == {name: one.text for name, one in sure.items()}
    report = read_json(tmp_path / "killed/report.json")["sets"]["unlabelled"]
    assert report["cuts"] == CUTS and report["cpu_s_per_hour"] > 0
    model = tmp_path / "model/config.json"
    model.write_text(model.read_text() + "\n")
    (tmp_path / "model/tokenizer.json").unlink()
    done = subprocess.run(command(tmp_path, "killed"), capture_output=True, text=True, check=False)
    assert "option weights: " in done.stderr and done.returncode == 1
    assert "tokenizer.json: no such file" in done.stderr.splitlines()[-1]
