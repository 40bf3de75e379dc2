#!/usr/bin/env python3
r"""Peak memory of features, targets, streams, training and decoding, at several amounts of speech: a flat line?

Speech is repeated under other names where there is less of it. The models are those of a recipe, except the one that
is trained, which is tiny, so that a pass does not take hours: its memory is not what grows.

e.g.: . utils/path.sh
      cd egs/assistant/s1 && ../../../tests/bench/memory.py --cuts data/corpus/unlabelled.jsonl.gz \
          --teacher exp/teacher --labels exp/tree --graph exp/graph --feats data/feats --out /tmp/bench-memory
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lhotse import CutSet
from lhotse.cut import Cut
from lhotse.serialization import SequentialJsonlWriter
from lhotse.utils import fastcopy

from understudy.step import UserError, command, read_json, write_json

STEPS = Path(__file__).resolve().parents[2] / "steps"


@dataclass
class Options:
    """What is measured."""

    cuts: Path
    """manifest with audio and transcripts; with features too, where `steps` does not make them"""
    teacher: Path
    """a trained model"""
    labels: Path
    """folder of the labelled speech's labels"""
    graph: Path
    """decoding graph"""
    feats: Path
    """folder of the recipe's labelled.jsonl.gz and dev.jsonl.gz with features"""
    out: Path
    """folder of all that is made; a step that is done is not done again"""
    hours: list[float] = field(default_factory=lambda: [1, 10, 100])
    """of speech"""
    steps: list[str] = field(default_factory=lambda: ["features", "targets", "streams", "training", "decoding"])
    """of these"""
    jobs: int = 1
    """processes of a step"""


def run(options: Options) -> None:
    """Print a table of MB and write result.json."""
    rows: dict[str, dict[str, float]] = {}
    for hours in options.hours:
        folder = options.out / f"{hours:g}"
        if "features" in options.steps:
            _repeat(options.cuts, hours * 3600, folder / "speech.jsonl.gz")
        else:
            _repeat(options.cuts, hours * 3600, folder / "feats/speech.jsonl.gz")
            shutil.copy(options.cuts.parent / "normaliser.json", folder / "feats")
        for name in options.steps:
            rows.setdefault(name, {})[f"{hours:g}"] = _peak_mb(
                _commands(options, folder)[name], folder / f"{name}.json"
            )
            print(f"{name:10} {hours:6g} h {rows[name][f'{hours:g}']:8.0f} MB", flush=True)
    print(f"\n{'MB':10}" + "".join(f"{hours:>8g} h" for hours in options.hours))
    for name, row in rows.items():
        print(f"{name:10}" + "".join(f"{mb:10.0f}" for mb in row.values()))
    write_json(options.out / "result.json", rows)


def _commands(options: Options, folder: Path) -> dict[str, list]:
    speech, recipe, jobs = folder / "feats/speech.jsonl.gz", options.feats, ["--jobs", options.jobs]
    sets = ["--labelled", recipe / "labelled.jsonl.gz", "--dev", recipe / "dev.jsonl.gz", "--labels", options.labels]
    return {
        "features": ["make_features.py", "--cuts", f"[{folder / 'speech.jsonl.gz'}]", "--normalise-on", "speech",
                     "--out", folder / "feats", *jobs],
        "targets": ["make_targets.py", "--model", options.teacher, "--feats", f"[{speech}]", "--out",
                    folder / "targets", *jobs],
        "streams": ["make_shar.py", "--feats", speech, "--targets", folder / "targets/speech", "--out",
                    folder / "stream", *jobs],
        "training": ["train.py", *sets, "--unlabelled", f"[{folder / 'stream'}]", "--epochs", 1, "--sub-epochs", 1,
                     "--model.layers", 1, "--model.cells", 32, "--threads", 1, "--out", folder / "model"],
        "decoding": ["decode.py", "--model", options.teacher, "--graph", options.graph, "--dev",
                     recipe / "dev.jsonl.gz", "--test", f"[{speech}]", "--system", "bench", "--results",
                     folder / "results.jsonl", "--acoustic-scales", "[0.3]", "--prior-scales", "[0.6]",
                     "--beams.search", 4, "--out", folder / "decode", *jobs],
    }  # fmt: skip


def _repeat(manifest: Path, seconds: float, out: Path) -> None:
    """So much speech of a manifest, over and over."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        return
    done = 0.0
    with SequentialJsonlWriter(out) as writer:
        for cut in _endless(manifest):
            if done >= seconds:
                break
            writer.write(cut)
            done += cut.duration


def _endless(manifest: Path) -> Iterator[Cut]:
    number = 0
    while True:
        for cut in CutSet.from_jsonl_lazy(manifest):
            said = [fastcopy(s, id=f"{s.id}-{number}", alignment=None) for s in cut.supervisions]
            yield fastcopy(cut, id=f"{cut.id}-{number}", supervisions=said)
        number += 1


def _peak_mb(step: list, kept: Path) -> float:
    """The most that a step, or one of its processes, had resident, in MB; of an earlier run, where it was done."""
    if not kept.exists():
        words = [sys.executable, str(STEPS / step[0]), *map(str, step[1:])]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"{' '.join(words)}:\n{done.stderr}")
        write_json(kept, float(re.findall(r"peak memory (\d+) MB", done.stderr)[-1]))
    return read_json(kept)


if __name__ == "__main__":
    command(Options, run)
