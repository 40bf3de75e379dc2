"""The phonetic decision tree of an alignment, and the senone of every stacked frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lhotse import CutSet

from understudy.align import labels
from understudy.align.archive import AlignmentReader, AlignmentWriter
from understudy.align.cepstra import cepstra
from understudy.align.options import TreeOptions
from understudy.corpus.names import set_name
from understudy.features import load_logmel, stacked_length
from understudy.features.frames import STACK
from understudy.lang import tree
from understudy.lang.lexicon import Lexicon
from understudy.step import UserError, log


def grow_and_label(options: TreeOptions, out: Path) -> None:
    """Accumulate statistics, grow, label every set."""
    lexicon = Lexicon.read(options.lang)
    stats: tree.Statistics = {}
    for cut, contexts in _contexts(options.feats[0], options.ali):
        middle = cepstra(load_logmel(cut))[STACK // 2 :: STACK][: len(contexts)]
        tree.accumulate(stats, contexts, middle)
    if not stats:
        raise UserError(f"{options.ali}: no alignment fits {options.feats[0]}; run steps/align_mono.py on it")
    grown = tree.build(
        stats, len(lexicon.phones) - 1, lexicon.silence, options.senones, options.min_count, options.min_gain,
        right=options.context == "both",
    )  # fmt: skip
    grown.save(out / "tree.json")
    log.info("%d contexts seen, %d senones", len(stats), grown.num_senones)
    for path in options.feats:
        name = set_name(path)
        writer = AlignmentWriter(out / name, ["senone"])
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
