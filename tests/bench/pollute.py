#!/usr/bin/env python3
"""Unlabelled speech with a share of it replaced, as found speech is: by noise, music, other languages and copies.

What is replaced is drawn by the seed, and each of the four gets as much of it. A sound is as long and as loud as the
utterance in whose place it stands. Half of the copies are the very samples of another utterance; the others are 10 ms
late, softer by 10 dB, and in noise of 30 dB. An id begins with what it is: noise-, music-, language-, copy-, changed-.

e.g. in a recipe's folder:
      ../../../tests/bench/pollute.py --cuts data/corpus/unlabelled.jsonl.gz --out data/polluted
      steps/make_features.py --cuts '[data/corpus/labelled.jsonl.gz, data/polluted/unlabelled.jsonl.gz]' \
          --out data/feats-polluted
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut
from lhotse.cut import Cut

from understudy.corpus import Utterance, build_cut, read_cuts, write_cuts
from understudy.corpus.subset import choose
from understudy.features import sounds
from understudy.features.distortions import decibels, in_noise, power, quantised
from understudy.features.extract import load_samples
from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import unit
from understudy.step import Step, UserError, atomic_path, log, main

sys.path.insert(0, str(Path(__file__).parents[2] / "local/assistant"))
from foreign import SENTENCES, talk
from voices import roster

_KINDS = ("noise", "music", "language", "copy")


@dataclass
class Options:
    """A polluted set."""

    cuts: Path
    """manifest with audio"""
    out: Path
    """folder of the sounds, and of a manifest of the same name"""
    share: float = 0.2
    """of the hours that are replaced, above 0 and below 1"""
    seed: int = 1
    """of all that is drawn"""


def run(options: Options, step: Step) -> None:
    """Write the sounds, then the manifest in the order of the one that it is made of."""
    if not 0 < options.share < 1:
        raise UserError(f"--share {options.share:g}: it is above 0 and below 1")
    cuts = list(read_cuts(options.cuts))
    replaced, hours = choose(cuts, options.share * sum(cut.duration for cut in cuts) / 3600, options.seed)
    write_cuts(step.out / options.cuts.name, _polluted(cuts, replaced, step.out / "audio", options.seed))
    log.info("%d of %d utterances are replaced, %.3f hours", len(replaced), len(cuts), hours)


def _polluted(cuts: list[Cut], replaced: set[str], folder: Path, seed: int) -> Iterator[MonoCut]:
    good = [cut for cut in cuts if cut.id not in replaced]
    seconds, copies = dict.fromkeys(_KINDS, 0.0), 0
    for number, cut in enumerate(cuts):
        if cut.id not in replaced:
            yield cut
            continue
        rng, kind = np.random.default_rng([seed, number]), min(_KINDS, key=seconds.__getitem__)
        if kind == "copy":
            samples = load_samples(good[int(rng.integers(len(good)))])
            name, samples = ("changed", _changed(samples, rng)) if copies % 2 else ("copy", samples)
            copies += 1
        else:
            there = load_samples(cut)
            name, samples = kind, _SOUNDS[kind](len(there), rng) * np.float32(np.sqrt(power(there)))
        seconds[kind] += len(samples) / SAMPLE_RATE
        path = folder / f"{name}-{cut.id}.flac"
        with atomic_path(path) as partial:
            soundfile.write(partial, quantised(samples), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        yield build_cut(Utterance(path.stem, path, "", name))


def _changed(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same recording from elsewhere: later, softer, and in noise."""
    late = np.concatenate([np.zeros(SAMPLE_RATE // 100, np.float32), samples])
    return in_noise(late, sounds.pink(len(late), rng), 30) * decibels(-10)


def _noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """One of those that students are measured with, and that no teacher has learnt as silence."""
    kinds = (sounds.white, sounds.pink, sounds.beeps, lambda n, draw: sounds.hum(n, draw, 50.0))
    return kinds[int(rng.integers(len(kinds)))](length, rng)


def _language(length: int, rng: np.random.Generator) -> np.ndarray:
    """One talker, synthesised."""
    language, text = SENTENCES[str(rng.choice(sorted(SENTENCES)))]
    voices = roster(80, 1)["unlabelled"]
    sentences = re.split(r"(?<=[.?]) ", " ".join(text.split()))
    return unit(talk(language, sentences, voices[int(rng.integers(len(voices)))], length, rng))


_SOUNDS = {"noise": _noise, "music": sounds.tune, "language": _language}


if __name__ == "__main__":
    main(Options, run, inputs=("cuts",))
