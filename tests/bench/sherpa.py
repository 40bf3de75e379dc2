#!/usr/bin/env python3
r"""Shipped students on sherpa-onnx beside the own run-time: equal utterances, WER, share of real time, memory.

Both hear pieces of 0.1 s on one core. The own run-time rejects nothing here, as the engine knows no least confidence.

e.g.: . utils/path.sh
      cd egs/assistant/s1
      ../../../tests/bench/sherpa.py --networks exp/device/networks --sherpa exp/device/sherpa-onnx \
          --cuts data/feats/test.jsonl.gz --versions '[1.13.8, 2.0.1]'
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.device.files import DESCRIPTION  # first: see understudy.lang.hclg

import numpy as np  # isort: skip
import onnx
import soundfile
from lhotse import CutSet
from lhotse.cut import Cut

from understudy.features.distortions import decibels, quantised
from understudy.features.extract import Alteration, load_samples
from understudy.score import errors
from understudy.ship.footprint import measure
from understudy.ship.sherpa import silence_after
from understudy.step import UserError, command, write_json

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
    gain: float = 0.0
    """dB by which the audio is louder, rounded to 16 bits and clipped"""
    differences: bool = False
    """print the utterances that differ"""


def run(options: Options) -> None:
    """Print a table."""

    def altered(_: Cut, samples: np.ndarray) -> np.ndarray:
        return quantised(samples * decibels(options.gain))

    cuts = CutSet.from_jsonl_lazy(options.cuts).subset(first=options.utterances).to_eager()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        cuts.to_file(scratch / "cuts.jsonl.gz")
        for number, cut in enumerate(cuts):
            soundfile.write(scratch / f"{number:06}.wav", altered(cut, load_samples(cut)), 16000, subtype="PCM_16")
        engines = {version: _engine(version) for version in options.versions}
        print("| precision | run-time | equal utterances | WER % | CPU of real time | memory MB |\n|" + " --- |" * 6)
        for folder in sorted(path.parent for path in options.networks.glob(f"*/{DESCRIPTION}")):
            _compare(folder, options.sherpa / folder.name, scratch, engines, altered, options.differences)


def _compare(
    device: Path, sherpa: Path, scratch: Path, engines: dict[str, Path], altered: Alteration, differences: bool
) -> None:
    own = _telling_all(device, scratch / "own" / device.name)
    known = measure(own, scratch / "cuts.jsonl.gz", scratch / device.name, 10**6, altered=altered)
    references = [one.reference for one in known.outcomes]

    def row(name: str, equal: str, words: list[list[str]], rtf: float, peak: float) -> None:
        wer = errors.count(references, words).wer
        print(f"| {device.name} | {name} | {equal} | {wer:.2f} | {rtf:.4f} | {peak:.0f} |", flush=True)

    row("own", "", [one.words for one in known.outcomes], known.rtf, known.peak_mb)
    for version, python in engines.items():
        told = _told(python, device, sherpa, scratch)
        texts = [one["text"].split() for one in told["heard"].values()]
        pairs = zip(known.outcomes, texts, strict=True)
        unlike = [(one.id, one.words, text) for one, text in pairs if one.words != text]
        equal = f"{len(texts) - len(unlike)} of {len(texts)}"
        row(f"sherpa-onnx {version}", equal, texts, told["rtf"], told["peak_mb"])
        if differences:
            for name, ours, theirs in unlike:
                print(f"{name}: {' '.join(ours)} | {' '.join(theirs)}", file=sys.stderr)


def _telling_all(device: Path, copy: Path) -> Path:
    """The folder again, without a least confidence."""
    shutil.copytree(device, copy)
    about = json.loads((copy / DESCRIPTION).read_text())
    write_json(copy / DESCRIPTION, about | {"least_confidence": None})
    return copy


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
