#!/usr/bin/env python3
r"""Synthesise sounds without speech: a set of cuts without words, which models learn as silence.

e.g.: steps/make_nonspeech.py --speech '[data/corpus/labelled.jsonl.gz, data/corpus/unlabelled.jsonl.gz]' \
          --out data/nonspeech
      steps/make_features.py --cuts '[…, data/nonspeech/nonspeech.jsonl.gz]' --out data/feats
      steps/train.py … --nonspeech data/feats/nonspeech.jsonl.gz
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from understudy.step import Step, log, main

_TALKERS = 2000  # cuts of speech to draw from: a few hours


@dataclass
class Options:
    """Stage 0, once more: sounds without words."""

    out: Path
    """folder of the audio, and of the manifest nonspeech.jsonl.gz"""
    speech: list[Path] = field(default_factory=list)
    """cut manifests with audio, whose speakers make babble, played backwards; none: there is no babble"""
    minutes: float = 12.0
    """minutes of sound"""
    seed: int = 1
    """seed of the sounds"""


def run(options: Options, step: Step) -> None:
    """Make the sounds that do not exist yet, then the manifest."""
    from understudy.corpus import write_cuts
    from understudy.corpus.subset import some
    from understudy.features.nonspeech import make_sounds

    speech = some(options.speech, _TALKERS, options.seed)
    count = write_cuts(
        step.out / "nonspeech.jsonl.gz", make_sounds(step.out / "audio", options.minutes, options.seed, speech)
    )
    log.info("%d sounds, %s", count, f"babble of {len(speech)} utterances" if speech else "no babble")


if __name__ == "__main__":
    main(Options, run, inputs=("speech",))
