#!/usr/bin/env python3
"""Log-mel features: speed of each library and of the whole stage, and bytes on disk beside plain ways.

e.g. in a recipe's folder: ../../../tests/bench/features.py --cuts data/corpus/dev.jsonl.gz
"""

from __future__ import annotations

import gzip
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import lilcom
import numpy as np
import torch
from lhotse import CutSet

from understudy.features.extract import LogmelExtractor, extract_set, load_samples
from understudy.features.frames import FRAME_SHIFT
from understudy.features.load import load_logmel
from understudy.features.logmel import BACKENDS, logmel
from understudy.parallel.workers import Workers
from understudy.step import UserError, command


@dataclass
class Options:
    """What is extracted."""

    cuts: Path
    """manifest with audio"""
    number: int = 300
    """cuts of it"""
    rounds: int = 3
    """of each, in turn; medians count"""


def run(options: Options) -> None:
    """Print speeds, the stage's share of the bare library, and bytes."""
    torch.set_num_threads(1)
    cuts = list(islice(CutSet.from_jsonl_lazy(options.cuts), options.number))
    samples = [load_samples(cut) for cut in cuts]
    seconds = sum(cut.duration for cut in cuts)
    with tempfile.TemporaryDirectory() as folder:
        CutSet.from_cuts(cuts).to_file(Path(folder) / "some.jsonl.gz")
        sides: dict[str, Callable[[int, str], object]] = {}
        for backend in BACKENDS:
            try:
                logmel(samples[0], backend)
            except UserError as error:
                print(f"{backend}: left out ({error})")
                continue
            sides[backend] = lambda _, name: [logmel(one, name) for one in samples]
        sides["reading audio"] = lambda *_: [load_samples(cut) for cut in cuts]
        extractor = LogmelExtractor(BACKENDS[0])
        sides["stage 1"] = lambda number, _: extract_set(
            Path(folder) / "some.jsonl.gz", Path(folder) / str(number), "some", [1.0], 100, extractor, Workers(1)
        )
        spent: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(options.rounds + 1):  # the first warms up
            for name, work in sides.items():
                begun = time.process_time()
                work(number, name)
                spent[name].append(time.process_time() - begun)
        for name, times in spent.items():
            cpu = float(np.median(times[1:]))
            print(f"{name:20} {cpu / seconds * 3600:6.2f} CPU s an hour of speech")
        bare = np.array(spent[BACKENDS[0]]) + np.array(spent["reading audio"])
        share = 100 * np.median((bare / np.array(spent["stage 1"]))[1:])
        print(f"{BACKENDS[0]} and reading are {share:.0f} % of the stage's CPU seconds; the rest is storage")
        _bytes(Path(folder), seconds)


def _bytes(folder: Path, seconds: float) -> None:
    frames = [load_logmel(cut) for cut in CutSet.from_file(folder / "0/some.jsonl.gz")]
    values, count = np.concatenate(frames), sum(map(len, frames))
    manifest = gzip.decompress((folder / "0/some.jsonl.gz").read_bytes())
    sizes = {
        "stage 1 (lilcom, chunks)": sum(path.stat().st_size for path in (folder / "0/some").glob("*.lca")),
        "lilcom": sum(len(lilcom.compress(one, tick_power=-5)) for one in frames),
        "float16": 2 * values.size,
        "float16, zlib": sum(len(zlib.compress(one.astype(np.float16).tobytes())) for one in frames),
        "float32": 4 * values.size,
        "its manifest": (folder / "0/some.jsonl.gz").stat().st_size,
        "that, not compressed": len(manifest),
    }
    print(f"{count} frames of {1000 * FRAME_SHIFT:g} ms:")
    for name, size in sizes.items():
        print(f"{name:26} {size / count:7.1f} bytes a frame {size / seconds * 3600 / 1e6:7.1f} MB an hour")


if __name__ == "__main__":
    command(Options, run)
