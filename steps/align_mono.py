#!/usr/bin/env python3
"""Flat start: train monophone mixtures on 10 ms frames and align every set with them.

e.g.: steps/align_mono.py --feats '[data/feats/labelled.jsonl.gz]' --lang exp/lang --out exp/mono
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jsonargparse.typing import PositiveInt
from lhotse import CutSet
from lhotse.cut import Cut

from understudy.align import monophone
from understudy.align.archive import AlignmentWriter
from understudy.align.cepstra import cepstra
from understudy.align.check import BoundaryCheck
from understudy.corpus import is_perturbed, set_name
from understudy.features import FRAME_SHIFT, load_logmel, stacked_length
from understudy.lang.lexicon import Lexicon
from understudy.lang.spoken import SPOKEN_FILES, say_left_out, spoken_cuts, spoken_lexicon
from understudy.stage import Step, UserError, log, main, write_json


@dataclass
class Options:
    """Stage 3, first part: alignment from nothing."""

    feats: list[Path]
    """cut manifests with features; the mixtures are trained on the first"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the alignments"""
    iterations: PositiveInt = 35
    """EM iterations"""
    gaussians: PositiveInt = 1000
    """Gaussians in all"""
    train_hours: float = 2.0
    """hours to train on, chosen at random (speed-perturbed copies are left out)"""
    seed: int = 1
    threads: PositiveInt = 2
    """torch threads"""


def run(options: Options, step: Step) -> None:
    """Train, align, compare with reference times where the supervisions carry them."""
    torch.set_num_threads(options.threads)
    lexicon = spoken_lexicon(options.lang, options.feats)
    chosen = _choose(options.feats[0], lexicon, options.train_hours, options.seed)
    model = monophone.train(
        [_utterance(c, lexicon) for c in chosen], len(lexicon.phones) - 1, options.iterations, options.gaussians
    )
    report = {}
    for path in options.feats:
        name = set_name(path)
        report[name] = _align(path, step.out / name, lexicon, model)
        log.info("%s: %s", name, report[name])
    write_json(step.out / "report.json", report)


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


def _utterance(cut: Cut, lexicon: Lexicon) -> monophone.Utterance:
    words = cut.supervisions[0].text.split()
    pronunciations = [[list(p) for p in lexicon.pronunciations[w]] for w in words]
    return monophone.Utterance(cut.id, torch.from_numpy(cepstra(load_logmel(cut))), pronunciations, lexicon.silence)


def _align(manifest: Path, out: Path, lexicon: Lexicon, model) -> dict:
    writer = AlignmentWriter(out, ["phone", "start", "end"])
    references: dict[str, list[tuple[str, float]]] = {}
    unknown: list[str] = []

    def utterances() -> Iterator[monophone.Utterance]:
        for cut in spoken_cuts(manifest, lexicon, unknown):
            alignment = (cut.supervisions[0].alignment or {}).get("phone")
            if alignment and not is_perturbed(cut):
                references[cut.id] = [(a.symbol, a.start) for a in alignment]
            yield _utterance(cut, lexicon)

    failed, check = [], BoundaryCheck()
    for utterance, segments in monophone.segments(utterances(), model):
        if segments is None:
            failed.append(utterance.id)
            continue
        writer.write(utterance.id, segments, stacked_length(len(utterance.features)))
        if reference := references.pop(utterance.id, None):
            check.add([(lexicon.phones[p], s * FRAME_SHIFT) for p, s, _ in segments], reference)
    writer.close()
    say_left_out(manifest, failed, "too short for their transcripts", unknown)
    report = {"aligned": len(writer.index), "failed": failed, "unknown_words": unknown}
    return {**report, "boundaries": check.summary()} if check.references else report


if __name__ == "__main__":
    main(Options, run, inputs=("feats", "lang"), parts={"lang": SPOKEN_FILES}, unfingerprinted=("threads",))
