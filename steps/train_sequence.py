#!/usr/bin/env python3
"""Train an acoustic model further with a sequence-discriminative criterion, on labelled speech.

e.g.: steps/train_sequence.py --model exp/teacher --labelled data/feats/labelled.jsonl.gz \\
          --dev data/feats/dev.jsonl.gz --labels exp/tree --lang exp/lang --out exp/teacher-mmi
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt
from lhotse import CutSet

from understudy import models
from understudy.lang.denominator import denominator
from understudy.lang.graph import load_graph
from understudy.lang.spoken import SPOKEN_FILES, spoken_lexicon
from understudy.lang.tree import Tree
from understudy.models import AcousticModel
from understudy.stage import Step, UserError, log, main
from understudy.train.criteria import Criterion
from understudy.train.data import SpeechData
from understudy.train.loop import Sets, Trainer, TrainOptions, finish
from understudy.train.schedule import Pass
from understudy.train.sequence import Mmi, Numerators, SequenceOptions, Smbr
from understudy.train.way import depends


@dataclass
class Options:
    """Stages 5 and 10: sequence training."""

    model: Path
    """folder of a model trained with cross-entropy or from soft targets"""
    labelled: Path
    """cut manifest with features and transcripts"""
    dev: Path
    """the same for validation"""
    labels: Path
    """folder of senone labels, those of the tree that the model was trained on"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the model"""
    criterion: Literal["mmi", "smbr"] = "mmi"
    """lattice-free MMI, or state-level minimum Bayes risk over lattices of --graph"""
    graph: Path | None = None
    """folder of the decoding graph (smbr)"""
    epochs: int = 4
    """passes over labelled speech"""
    lm_order: PositiveInt = 4
    """of the phone language model (mmi)"""
    lm_extra_states: int = 500
    """its histories of more than two phones (mmi)"""
    sequence: SequenceOptions = field(default_factory=SequenceOptions)
    """the criterion"""
    train: TrainOptions = field(default_factory=lambda: TrainOptions(learning_rate=5e-4))
    """training; always whole utterances"""
    seed: int = 1
    threads: PositiveInt = 2
    """each computes on its part of a batch, with one core (on a GPU, and at each of several ranks: one)"""

    def __post_init__(self) -> None:
        """Raise UserError for what a sequence criterion does not take, or lacks."""
        if self.train.chunk:
            raise UserError("--train.chunk: sequence criteria need whole utterances; leave it 0")
        if self.train.share:
            raise UserError("--train.share: sequence criteria take no soft targets; leave it 0")
        if self.criterion == "smbr" and self.graph is None:
            raise UserError("--criterion smbr searches lattices: give --graph, the folder of steps/make_graph.py")


def run(options: Options, step: Step) -> None:
    """Set up data, model and criterion, train, write the model folder."""
    model, tree = models.load(options.model), Tree.load(options.labels / "tree.json")
    models.check_tree(options.model, model, tree, options.labels)
    sets = Sets(*(SpeechData.labelled(path, options.labels) for path in (options.labelled, options.dev)))
    criterion = (_mmi if options.criterion == "mmi" else _smbr)(options, model, tree, sets)
    plan, criteria = [Pass(options.criterion)] * options.epochs, {options.criterion: criterion}
    trainer = Trainer(model, sets, plan, options.train, step.out, options.seed, options.threads, criteria, True)
    log.info("%d parameters, %d updates in %d passes", model.num_parameters, trainer.updates, len(plan))
    meta = {**model.meta, "init": options.model.name, "criterion": options.criterion, "seed": options.seed}
    finish(trainer, model.log_priors.clone(), meta)


def _mmi(options: Options, model: AcousticModel, tree: Tree, sets: Sets) -> Criterion:
    lm, graph = denominator(sets.labelled.labels_of_all(), tree, options.lm_order, options.lm_extra_states)
    known = {cut.id for one in (sets.labelled, sets.dev) for cut in one.cuts}
    transcripts = {
        cut.id: cut.supervisions[0].text
        for path in (options.labelled, options.dev)
        for cut in CutSet.from_jsonl_lazy(path)
        if cut.id in known
    }
    numerators = Numerators(transcripts, spoken_lexicon(options.lang, (options.labelled, options.dev)), lm, tree)
    return Mmi(graph, numerators, model.log_priors, options.sequence)


def _smbr(options: Options, model: AcousticModel, tree: Tree, sets: Sets) -> Criterion:
    graph = load_graph(options.graph / "HCLG.safetensors", model.meta.get("tree"))
    return Smbr(graph, model.log_priors, options.sequence)


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("model", "labelled", "dev", "labels", "lang", "graph"),
        parts={"lang": SPOKEN_FILES},
        unfingerprinted=("threads",),
        besides=lambda options: depends(options.train.parallel),
        torchrun=True,
    )
