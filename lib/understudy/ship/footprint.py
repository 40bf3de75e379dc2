"""What a network costs on a device: measured in a process of its own, which has the run-time and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lhotse.cut import Cut

from understudy.features import STACKED_SHIFT
from understudy.features.extract import load_samples
from understudy.models import AcousticModel
from understudy.score.normalise import Way
from understudy.score.outcome import Outcome
from understudy.ship.folder import RUNTIME
from understudy.stage import UserError


@dataclass(frozen=True)
class Footprint:
    """Of one network over one set."""

    outcomes: list[Outcome]
    rtf: float
    """CPU seconds of one core for a second of speech: features, network and search"""
    first_word_s: float | None
    """median of the audio heard until there is a word, over utterances with words; where the first one appears only at
    the end, that is all the audio. None: there were no words"""
    end_s: tuple[float, float]
    """median and 95th percentile of the seconds from the end of the audio to the final words"""
    peak_mb: float
    """most resident memory, with all packages"""


def measure(folder: Path, cuts: Iterable[Cut], ways: Sequence[Way] = ()) -> Footprint:
    """Hear the cuts' audio with the run-time that lies in a folder of `understudy.ship.folder`.

    Args:
        ways: in which texts are made alike before they are compared.

    Raises:
        UserError: it fails; its own words are in the text.
    """
    with tempfile.TemporaryDirectory(prefix="understudy-") as scratch:
        said = {}
        for number, cut in enumerate(cuts):
            np.save(Path(scratch) / f"{number:08d}.npy", load_samples(cut))
            said[f"{number:08d}"] = (cut.id, cut.supervisions[0].speaker or "", cut.supervisions[0].text.split())
        lines = _run(folder, Path(scratch))
    *heard, process = lines
    if process["strange"]:
        raise UserError(f"{folder}: its run-time needs {', '.join(process['strange'])}, which a device does not have")
    outcomes = [Outcome.of(*said[h["id"]], h["words"], ways, retried=h["widened"], empty=h["empty"]) for h in heard]
    ends = [h["end_s"] for h in heard]
    return Footprint(
        outcomes, sum(h["cpu_s"] for h in heard) / sum(h["seconds"] for h in heard), first_word(heard),
        (float(np.median(ends)), float(np.quantile(ends, 0.95))), process["peak_mb"],
    )  # fmt: skip


def first_word(heard: Iterable[dict[str, Any]]) -> float | None:
    """`Footprint.first_word_s` of what `understudy.device.measure` tells of each utterance."""
    begun = [h for h in heard if h["words"] or h["first_word_s"] is not None]
    firsts = [h["seconds"] if h["first_word_s"] is None else h["first_word_s"] for h in begun]
    return float(np.median(firsts)) if firsts else None


def _run(folder: Path, utterances: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", f"{RUNTIME}.measure", str(folder), str(utterances)]
    # What lies in the folder is measured, and nothing of this library.
    alone = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=alone)
    if done.returncode:
        raise UserError(f"{folder}: its run-time failed:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def multiply_adds(model: AcousticModel) -> float:
    """Of the network, for a second of speech: each weight of a matrix is used once in a frame."""
    weights = sum(p.numel() for p in model.parameters() if p.dim() == 2)
    return weights / STACKED_SHIFT
