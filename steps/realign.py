#!/usr/bin/env python3
"""Align again at 30 ms with a network, on senones in context.

e.g.: steps/realign.py --model exp/teacher0 --tree exp/tree --feats '[data/feats/dev.jsonl.gz]' \\
          --lang exp/lang --out exp/ali
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import torch

from understudy import models
from understudy.align.archive import AlignmentWriter
from understudy.align.check import BoundaryCheck
from understudy.align.graph import ENTRY_LOOP, alignment_graph
from understudy.align.viterbi import viterbi
from understudy.corpus import is_perturbed, set_name
from understudy.features import STACKED_SHIFT, Normaliser, load_stacked
from understudy.lang.spoken import SPOKEN_FILES, say_left_out, spoken_cuts, spoken_lexicon
from understudy.lang.tree import Tree
from understudy.stage import Step, log, main, write_json


@dataclass
class Options:
    """Stage 3, third part: realignment."""

    model: Path
    """the network that aligns"""
    tree: Path
    """folder of steps/make_tree.py"""
    feats: list[Path]
    """cut manifests with features"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the labels"""
    prior_scale: float = 1.0
    """log priors are subtracted with this weight"""


def run(options: Options, step: Step) -> None:
    """Align every set; report boundaries against reference times where there are any."""
    model, tree = models.load_any(options.model), Tree.load(options.tree / "tree.json")
    models.check_tree(options.model, model, tree, options.tree)
    lexicon, report = spoken_lexicon(options.lang, options.feats), {}
    for path in options.feats:
        name = set_name(path)
        normaliser = Normaliser.load(path.parent / "normaliser.json")
        report[name] = _align(path, step.out / name, model, tree, lexicon, normaliser, options.prior_scale)
        log.info("%s: %s", name, report[name])
    tree.save(step.out / "tree.json")
    write_json(step.out / "report.json", report)


def _align(path: Path, out: Path, model, tree, lexicon, normaliser, prior_scale) -> dict:
    writer, check, failed, unknown = AlignmentWriter(out, ["senone"]), BoundaryCheck(), [], []
    stream = spoken_cuts(path, lexicon, unknown)
    while cuts := list(itertools.islice(stream, 16)):
        posteriors = model.log_posteriors([torch.from_numpy(load_stacked(c, normaliser)) for c in cuts])
        words = [c.supervisions[0].text.split() for c in cuts]
        graphs = [
            alignment_graph(
                [[list(p) for p in lexicon.pronunciations[w]] for w in ws], lexicon.silence, ENTRY_LOOP, tree.senone
            )
            for ws in words
        ]
        scores = [p - prior_scale * model.log_priors for p in posteriors]
        for cut, graph, score, found in zip(cuts, graphs, scores, viterbi(graphs, scores)):
            if found is None:
                failed.append(cut.id)
                continue
            states = found[0]
            writer.write(cut.id, graph.labels[states], len(score))
            reference = (cut.supervisions[0].alignment or {}).get("phone")
            if reference and not is_perturbed(cut):
                starts = [t for t in range(len(states)) if graph.contexts[states[t], 3] == 0]
                phones = [(lexicon.phones[graph.phones[states[t]]], t * STACKED_SHIFT) for t in starts]
                check.add(phones, [(a.symbol, a.start) for a in reference])
    writer.close()
    say_left_out(path, failed, "have fewer frames than phones", unknown)
    boundaries = check.summary()
    return {"aligned": len(writer.index), "failed": failed, "unknown_words": unknown, "boundaries": boundaries}


if __name__ == "__main__":
    main(Options, run, inputs=("model", "tree", "feats", "lang"), parts={"lang": SPOKEN_FILES})
