#!/usr/bin/env python3
"""Train an acoustic model: a teacher or a student, on labels alone or on soft targets too.

e.g.: steps/train.py --config conf/student.yaml --labelled data/feats/labelled.jsonl.gz \\
          --dev data/feats/dev.jsonl.gz --labels exp/tree --out exp/student
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from understudy import models
from understudy.corpus import is_perturbed
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.lang.tree import Tree
from understudy.models import AcousticModel, ModelOptions
from understudy.stage import Step, UserError, log, main, read_json
from understudy.targets import TargetReader
from understudy.train.data import SpeechData
from understudy.train.loop import Sets, Trainer, TrainOptions, finish, log_priors
from understudy.train.schedule import passes


@dataclass
class Options:
    """Stages 4, 7 and 8: training."""

    labelled: Path
    """cut manifest with features"""
    dev: Path
    """the same for validation"""
    labels: Path
    """folder of senone labels (steps/make_tree.py or steps/realign.py)"""
    out: Path
    """folder of the model"""
    unlabelled: list[Path] | None = None
    """manifests to learn from soft targets"""
    targets: list[Path] | None = None
    """folders of soft targets of those (and of the labelled one where train.share is above 0)"""
    init: Path | None = None
    """model folder to start from"""
    epochs: int = 20
    """passes over all speech"""
    sub_epochs: int = 4
    """parts of the unlabelled speech, each followed by labelled speech"""
    labelled_passes: float = 1.0
    """passes over the labelled speech after each sub-epoch; 0.5: a half of it, the other half after the next"""
    labelled_tail: int = 0
    """labelled passes at the end"""
    k: int | None = None
    """use only so many of the targets' senones (1: the teacher's best one, a hard label)"""
    model: ModelOptions = field(default_factory=ModelOptions)
    """shape"""
    train: TrainOptions = field(default_factory=TrainOptions)
    """training"""
    seed: int = 1
    threads: int = 2
    """each computes on its part of a batch, with one core (on a GPU: one)"""


def run(options: Options, step: Step) -> None:
    """Set up data and model, train, write the model folder."""
    if bool(options.unlabelled) != bool(options.targets):
        raise UserError("--unlabelled and --targets go together: soft targets belong to speech")
    senones = Tree.load(options.labels / "tree.json").num_senones
    targets = TargetReader(options.targets, options.k) if options.targets else None
    if targets and targets.describe["senones"] != senones:
        raise UserError(
            f"{options.targets}: targets over {targets.describe['senones']} senones, {options.labels} has {senones}"
        )
    sets = Sets(
        SpeechData.labelled(options.labelled, options.labels, targets),
        SpeechData.labelled(options.dev, options.labels),
        _unlabelled(options, targets) if targets else None,
    )
    model, meta = AcousticModel(options.model, 3 * NUM_MELS, senones), _meta(options, sets, targets)
    if options.init:
        first = models.load(options.init)
        if (first.options.layers, first.options.cells) != (options.model.layers, options.model.cells):
            raise UserError(f"--init {options.init}: its shape is {first.options}, that of --model {options.model}")
        model.load_state_dict(first.state_dict())
        meta |= {"init": options.init.name, "updates": first.meta["updates"]}
    plan = passes(
        options.epochs, options.sub_epochs if targets else 0, options.labelled_tail, options.labelled_passes
    )  # fmt: skip
    trainer = Trainer(
        model, sets, plan, options.train, step.out, options.seed, options.threads, trained=options.init is not None
    )
    log.info("%d parameters, %d updates in %d passes", model.num_parameters, trainer.updates, len(plan))
    finish(trainer, log_priors(sets.labelled, senones), meta)


def _unlabelled(options: Options, targets: TargetReader) -> SpeechData:
    return SpeechData(options.unlabelled, Normaliser.load(options.labelled.parent / "normaliser.json"), None, targets)


def _meta(options: Options, sets: Sets, targets: TargetReader | None) -> dict:
    original = [c for c in sets.labelled.cuts if not is_perturbed(c)]
    return {
        "labelled_hours": sum(c.duration for c in original) / 3600,
        "unlabelled_hours": sets.unlabelled.seconds / 3600 if sets.unlabelled else 0.0,
        "teacher": targets.describe["teacher"] if targets else None,
        "tree": read_json(options.labels / "tree.json")["num_senones"],
        "seed": options.seed,
    }


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("labelled", "dev", "labels", "unlabelled", "targets", "init"),
        unfingerprinted=("threads",),
    )
