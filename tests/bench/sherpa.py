#!/usr/bin/env python3
r"""Shipped students on sherpa-onnx beside the own run-time: equal utterances, WER, share of real time, memory.

Both hear pieces of 0.1 s on one core. An utterance that the own run-time rejects is left out of "equal", as the engine
knows no least confidence.

e.g.: . utils/path.sh
      cd egs/assistant/s1
      ../../../tests/bench/sherpa.py --networks exp/device/networks --sherpa exp/device/sherpa-onnx \
          --cuts data/feats/test.jsonl.gz --versions '[1.13.8, 2.0.1]'
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.device.files import DESCRIPTION  # first: see understudy.lang.hclg

import onnx  # isort: skip
import soundfile
from lhotse import CutSet

from understudy.features.extract import load_samples
from understudy.score import errors
from understudy.ship.footprint import measure
from understudy.ship.sherpa import silence_after
from understudy.step import UserError, command

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Options:
    """What is measured."""

    networks: Path
    """folder of steps/ship.py"""
    sherpa: Path
    """folder of steps/ship_sherpa.py"""
    cuts: Path
    """manifest with audio"""
    versions: list[str] = field(default_factory=lambda: ["2.0.1"])
    """releases of the engine, installed by utils/engines.sh"""
    utterances: int = 400
    """of the manifest, from its beginning"""
    differences: bool = False
    """print the utterances that differ"""


def run(options: Options) -> None:
    """Print a table."""
    cuts = CutSet.from_jsonl_lazy(options.cuts).subset(first=options.utterances).to_eager()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        cuts.to_file(scratch / "cuts.jsonl.gz")
        for number, cut in enumerate(cuts):
            soundfile.write(scratch / f"{number:06}.wav", load_samples(cut), 16000, subtype="PCM_16")
        engines = {version: _engine(version) for version in options.versions}
        print("| precision | run-time | equal utterances | WER % | CPU of real time | memory MB |\n|" + " --- |" * 6)
        for folder in sorted(path.parent for path in options.networks.glob(f"*/{DESCRIPTION}")):
            _compare(folder, options.sherpa / folder.name, scratch, engines, options.differences)


def _compare(device: Path, sherpa: Path, scratch: Path, engines: dict[str, Path], differences: bool) -> None:
    known = measure(device, scratch / "cuts.jsonl.gz", scratch / device.name, 10**6)
    references = [one.reference for one in known.outcomes]

    def row(name: str, equal: str, words: list[list[str]], rtf: float, peak: float) -> None:
        wer = errors.count(references, words).wer
        print(f"| {device.name} | {name} | {equal} | {wer:.2f} | {rtf:.4f} | {peak:.0f} |", flush=True)

    row("own", "", [one.words for one in known.outcomes], known.rtf, known.peak_mb)
    for version, python in engines.items():
        told = _told(python, device, sherpa, scratch)
        texts = [one["text"].split() for one in told["heard"].values()]
        pairs = [(one, text) for one, text in zip(known.outcomes, texts, strict=True) if not one.rejected]
        unlike = [(one.id, one.words, text) for one, text in pairs if one.words != text]
        row(
            f"sherpa-onnx {version}", f"{len(pairs) - len(unlike)} of {len(pairs)}", texts, told["rtf"], told["peak_mb"]
        )
        if differences:
            for name, ours, theirs in unlike:
                print(f"{name}: {' '.join(ours)} | {' '.join(theirs)}", file=sys.stderr)


def _told(python: Path, device: Path, sherpa: Path, scratch: Path) -> dict[str, Any]:
    """Of tests/ship/on_sherpa.py."""
    most = json.loads((device / DESCRIPTION).read_text())["max_active"]
    described = {one.key: one.value for one in onnx.load(device / "network.onnx").metadata_props}
    listen = [python, ROOT / "tests/ship/on_sherpa.py", sherpa, scratch / "told.json", most, 1600]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    alone.pop("PYTHONPATH", None)
    files = sorted(scratch.glob("*.wav"))
    done = subprocess.run(
        list(map(str, [*listen, silence_after(described), *files])), env=alone, capture_output=True, text=True
    )
    if done.returncode:
        raise UserError(f"{sherpa}: sherpa-onnx failed:\n{done.stderr[-2000:]}")
    return json.loads((scratch / "told.json").read_text())


def _engine(version: str) -> Path:
    done = subprocess.run([ROOT / "utils/engines.sh", version], capture_output=True, text=True)
    if done.returncode:
        raise UserError(done.stderr.strip())
    return Path(done.stdout.strip()) / "bin/python"


if __name__ == "__main__":
    command(Options, run)
