"""Costs of a network on a device, measured in a process of its own, which has the run-time and nothing else."""

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

from understudy.corpus import in_shards
from understudy.features import STACKED_SHIFT
from understudy.features.extract import Alteration, load_samples
from understudy.models import AcousticModel
from understudy.score.confidence import correct
from understudy.score.normalise import Way
from understudy.score.outcome import Outcome
from understudy.ship.folder import RUNTIME
from understudy.step import UserError, atomic_path, log, to_json

CLIPPED = 32767 / 32768
"""the largest sample of 16 bits; the smallest is -1"""


@dataclass(frozen=True)
class Footprint:
    """Results and costs of one network over one set."""

    outcomes: list[Outcome]
    rtf: float
    """CPU seconds of one core for a second of speech: features, network and search"""
    first_word_s: float | None
    """median seconds of audio until the first word, over utterances with words; where it appears only at the end, that
    is all the audio. None: there were no words"""
    end_s: tuple[float, float]
    """median and 95th percentile of the seconds from the end of the audio to the final words"""
    peak_mb: float
    """most resident memory, with all packages"""
    clipped: list[int]
    """samples at the limit of 16 bits in each utterance"""
    shares: list[float]
    """for each recognised word, the share of alternatives that agree with it, where that was asked for"""
    right: list[bool]
    """whether each of these words was said"""


def measure(
    folder: Path, manifest: Path, kept: Path, shard_size: int, ways: Sequence[Way] = (),
    altered: Alteration | None = None, sure: bool = False,
) -> Footprint:  # fmt: skip
    """Recognise the audio of a manifest with the run-time that lies in a folder of `understudy.ship.folder`.

    Args:
        kept: folder of the results, a file for each shard. Shards that are there are not recognised again.
        shard_size: utterances that one process recognises.
        ways: ways in which texts are normalised before they are compared.
        altered: alters the audio before; it depends on the cut alone, so that a resumed run gets the same audio.
        sure: compute the confidence in each word too, afterwards.

    Raises:
        UserError: the run-time fails; its own message is in the text.
    """
    kept.mkdir(parents=True, exist_ok=True)
    outcomes, heard, peak_mb, right = [], [], 0.0, []
    for number, cuts in enumerate(in_shards(manifest, shard_size)):
        path = kept / f"{number:05d}.jsonl"
        if not path.exists():
            with atomic_path(path) as partial:
                partial.write_text(_hear(folder, cuts, altered, sure), encoding="utf-8")
            log.info("%s: %d utterances heard of %s", folder.name, number * shard_size + len(cuts), manifest)
        *told, process = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if process["strange"]:
            raise UserError(
                f"{folder}: its run-time needs {', '.join(process['strange'])}, which a device does not have"
            )
        outcomes += [_outcome(cut, one, ways) for cut, one in zip(cuts, told, strict=True)]
        heard += told
        for cut, one in zip(cuts, told, strict=True):
            right += correct(cut.supervisions[0].text.split(), one["words"], ways) if one.get("shares") else []
        peak_mb = max(peak_mb, process["peak_mb"])
    ends = [h["end_s"] for h in heard]
    return Footprint(
        outcomes, sum(h["cpu_s"] for h in heard) / sum(h["seconds"] for h in heard), first_word(heard),
        (float(np.median(ends)), float(np.quantile(ends, 0.95))), peak_mb, [h.get("clipped", 0) for h in heard],
        [share for h in heard for share in h.get("shares", [])], right,
    )  # fmt: skip


def _outcome(cut: Cut, heard: dict[str, Any], ways: Sequence[Way]) -> Outcome:
    how = {"retried": heard["widened"], "empty": heard["empty"], "rejected": heard.get("rejected", False)}
    spoken = cut.supervisions[0]
    return Outcome.of(cut.id, spoken.speaker or "", spoken.text.split(), heard["words"], ways, **how)


def first_word(heard: Iterable[dict[str, Any]]) -> float | None:
    """Return `Footprint.first_word_s` of the lines that `understudy.device.measure` prints for utterances."""
    begun = [h for h in heard if h["words"] or h["first_word_s"] is not None]
    firsts = [h["seconds"] if h["first_word_s"] is None else h["first_word_s"] for h in begun]
    return float(np.median(firsts)) if firsts else None


def _hear(folder: Path, cuts: Sequence[Cut], altered: Alteration | None, sure: bool) -> str:
    """Return the run-time's line for each utterance and, at the end, that for its process."""
    clipped = []
    with tempfile.TemporaryDirectory(prefix="understudy-") as scratch:
        for number, cut in enumerate(cuts):
            samples = load_samples(cut)
            samples = altered(cut, samples) if altered else samples
            clipped.append(int(np.sum((samples >= CLIPPED) | (samples <= -1))))
            np.save(Path(scratch) / f"{number:08d}.npy", samples)
        *told, process = run_alone(folder, "measure", str(folder), scratch, *["sure"] * sure).splitlines()
    lines = [json.loads(line) | {"clipped": one} for line, one in zip(told, clipped, strict=True)]
    return "".join(to_json(line, line["id"], ensure_ascii=False) + "\n" for line in lines) + process + "\n"


def run_alone(folder: Path, module: str, *arguments: str) -> str:
    """Run a module of a folder's run-time, in a one-core process without this library, and return its standard output.

    Raises:
        UserError: the module fails; its own message is in the text.
    """
    alone = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"{RUNTIME}.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=alone)
    if done.returncode:
        raise UserError(f"{folder}: its run-time failed:\n{done.stderr[-2000:]}")
    return done.stdout


def multiply_adds(model: AcousticModel) -> float:
    """Return the network's multiply-adds for a second of speech: each weight of a matrix is used once in a frame."""
    weights = sum(p.numel() for p in model.parameters() if p.dim() == 2)
    return weights / STACKED_SHIFT
