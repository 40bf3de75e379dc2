#!/usr/bin/env python3
"""Grow the phonetic decision tree from an alignment and write senone labels at 30 ms.

e.g.: steps/make_tree.py --ali exp/mono --feats '[data/feats/labelled.jsonl.gz]' --lang exp/lang --out exp/tree
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jsonargparse.typing import PositiveInt
from lhotse import CutSet

from understudy.align import labels
from understudy.align.archive import AlignmentReader, AlignmentWriter
from understudy.align.cepstra import cepstra
from understudy.corpus import set_name
from understudy.features import load_logmel, stacked_length
from understudy.features.frames import STACK
from understudy.lang import tree
from understudy.lang.lexicon import LEXICON_FILES, Lexicon
from understudy.stage import Step, UserError, log, main


@dataclass
class Options:
    """Stage 3, second part: tree and labels."""

    ali: Path
    """folder of steps/align_mono.py"""
    feats: list[Path]
    """cut manifests with features; the tree is grown on the first"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the tree and the labels"""
    senones: PositiveInt = 600
    """most senones"""
    min_count: float = 60.0
    """fewest 30 ms frames of a senone"""
    min_gain: float = 60.0
    """least gain of a split, nats"""


def run(options: Options, step: Step) -> None:
    """Accumulate statistics, grow, label every set."""
    lexicon = Lexicon.read(options.lang)
    stats: tree.Statistics = {}
    for cut, contexts in _contexts(options.feats[0], options.ali):
        middle = cepstra(load_logmel(cut))[STACK // 2 :: STACK][: len(contexts)]
        tree.accumulate(stats, contexts, middle)
    if not stats:
        raise UserError(f"{options.ali}: no alignment fits {options.feats[0]}; run steps/align_mono.py on it")
    grown = tree.build(
        stats, len(lexicon.phones) - 1, lexicon.silence, options.senones, options.min_count, options.min_gain
    )
    grown.save(step.out / "tree.json")
    log.info("%d contexts seen, %d senones", len(stats), grown.num_senones)
    for path in options.feats:
        name = set_name(path)
        writer = AlignmentWriter(step.out / name, ["senone"])
        for cut, contexts in _contexts(path, options.ali):
            writer.write(cut.id, np.array([grown.senone(*c) for c in contexts.tolist()]), len(contexts))
        writer.close()


def _contexts(manifest: Path, ali: Path):
    """Cuts with their (frames, 4) contexts; those without alignment are left out, counted and said."""
    reader = AlignmentReader(ali / set_name(manifest))
    left_out = 0
    for cut in CutSet.from_file(manifest):
        frames = stacked_length(cut.num_frames)
        segments = labels.to_stacked(reader.read(cut.id, frames), frames) if cut.id in reader else None
        if segments is None:
            left_out += 1
        else:
            yield cut, labels.contexts(segments)
    if left_out:
        log.warning("%s: %d cuts have no alignment, or more phones than frames, and are left out", manifest, left_out)


if __name__ == "__main__":
    main(Options, run, inputs=("ali", "feats", "lang"), parts={"lang": LEXICON_FILES})
