"""Flat start: monophone mixtures are trained on a part of the speech, and align all of it."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from lhotse import CutSet
from lhotse.cut import Cut

from understudy.align import monophone
from understudy.align.gmm import GaussianMixtures
from understudy.align.options import MonoOptions
from understudy.align.shards import align_set
from understudy.corpus import is_perturbed
from understudy.corpus.names import set_name
from understudy.lang.alignment_lexicon import spoken_lexicon
from understudy.lang.lexicon import Lexicon
from understudy.parallel.workers import Workers
from understudy.step import UserError, log, write_json


def align_from_nothing(options: MonoOptions, out: Path) -> None:
    """Train, align, compare with reference times where the supervisions carry them."""
    torch.set_num_threads(options.threads)
    lexicon = spoken_lexicon(options.lang, options.feats)
    mixtures = _mixtures(options, lexicon, out / "mixtures.safetensors")
    aligner = monophone.MonophoneAligner(mixtures, lexicon.phones, lexicon.silence)
    columns, why, report = ["phone", "start", "end"], "too short for their transcripts", {}
    with Workers(options.jobs, options.cluster, out=out) as workers:
        for path in options.feats:
            found = align_set(path, out, lexicon, aligner, columns, why, options.shard_size, workers)
            report[set_name(path)] = found
            log.info("%s: %s", set_name(path), found)
    write_json(out / "report.json", report)


def _mixtures(options: MonoOptions, lexicon: Lexicon, file: Path) -> GaussianMixtures:
    """Those that a killed run has trained, or new ones."""
    if not file.exists():
        chosen = _choose(options.feats[0], lexicon, options.train_hours, options.seed)
        utterances = [monophone.utterance_of(cut, lexicon.pronunciations, lexicon.silence) for cut in chosen]
        monophone.train(utterances, len(lexicon.phones) - 1, options.iterations, options.gaussians).save(file)
    return GaussianMixtures.load(file)


def _choose(manifest: Path, lexicon: Lexicon, hours: float, seed: int) -> list[Cut]:
    cuts = [c for c in CutSet.from_file(manifest) if not is_perturbed(c) and lexicon.pronounces(c.supervisions[0].text)]
    if not cuts:
        raise UserError(f"{manifest}: no cut has only words of the lexicon. Make the language folder on this set.")
    random.Random(seed).shuffle(cuts)
    chosen, seconds = [], 0.0
    for cut in cuts:
        if seconds >= 3600 * hours:
            break
        chosen.append(cut)
        seconds += cut.duration
    log.info("mixtures learn from %d of %d utterances, %.2f h", len(chosen), len(cuts), seconds / 3600)
    return chosen
