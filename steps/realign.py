#!/usr/bin/env python3
"""Align again at 30 ms with a network, on senones in context.

e.g.: steps/realign.py --model exp/teacher0 --tree exp/tree --feats '[data/feats/dev.jsonl.gz]' \\
          --lang exp/lang --out exp/ali
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy.align.archive import SHARD_SIZE
from understudy.corpus.names import check_names, set_name
from understudy.lang.lexicon import SPOKEN_FILES
from understudy.parallel.options import ClusterOptions
from understudy.parallel.workers import Workers
from understudy.step import Step, log, main, write_json


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
    shard_size: PositiveInt = SHARD_SIZE
    """cuts in a shard, the unit of resuming"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError if two sets have one name."""
        check_names(self.feats)


def run(options: Options, step: Step) -> None:
    """Align every set; report boundaries against reference times where there are any."""
    from understudy import models
    from understudy.align.network import NetworkAligner
    from understudy.align.shards import align_set
    from understudy.lang.alignment_lexicon import spoken_lexicon
    from understudy.lang.tree import Tree

    tree = Tree.load(options.tree / "tree.json")
    models.check_tree(options.model, models.load_any(options.model), tree, options.tree)
    lexicon, report, why = spoken_lexicon(options.lang, options.feats), {}, "have fewer frames than phones"
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        for path in options.feats:
            files = options.model, options.tree / "tree.json", path.parent / "normaliser.json"
            aligner = NetworkAligner.of(*files, lexicon, options.prior_scale)
            name, size = set_name(path), options.shard_size
            report[name] = align_set(path, step.out, lexicon, aligner, ["senone"], why, size, workers)
            log.info("%s: %s", name, report[name])
    tree.save(step.out / "tree.json")
    write_json(step.out / "report.json", report)


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("model", "tree", "feats", "lang"),
        files_read={"lang": SPOKEN_FILES},
        unfingerprinted=("jobs", "cluster"),
    )
