#!/usr/bin/env python3
"""Train an acoustic model: a teacher or a student, on labels alone or on soft targets too.

e.g.: steps/train.py --config conf/student.yaml --labelled data/feats/labelled.jsonl.gz \\
          --dev data/feats/dev.jsonl.gz --labels exp/tree --out exp/student
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from understudy import models
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.lang.tree import Tree
from understudy.models import AcousticModel, ModelOptions
from understudy.stage import Step, UserError, log, main, read_json
from understudy.targets import TargetReader
from understudy.train.criteria import Hard
from understudy.train.data import SpeechData
from understudy.train.loop import Sets, Trainer, TrainOptions, finish, log_priors
from understudy.train.schedule import passes
from understudy.train.way import depends


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
    true_labels: Path | None = None
    """instead of targets, senone labels of the unlabelled manifest (steps/realign.py): the oracle, for comparison"""
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
    """each computes on its part of a batch, with one core (on a GPU, and at each of several ranks: one)"""


def run(options: Options, step: Step) -> None:
    """Set up data and model, train, write the model folder."""
    _check(options)
    tree = Tree.load(options.labels / "tree.json")
    senones = tree.num_senones
    targets = TargetReader(options.targets, options.k) if options.targets else None
    if targets:
        _check_tree(options, tree, targets.describe)
    sets = Sets(
        SpeechData.labelled(options.labelled, options.labels, targets),
        SpeechData.labelled(options.dev, options.labels),
        _unlabelled(options, targets) if options.unlabelled else None,
    )
    model, meta = AcousticModel(options.model, 3 * NUM_MELS, senones), _meta(options, sets, targets)
    if options.init:
        first = models.load(options.init)
        if any(getattr(first.options, n) != getattr(options.model, n) for n in ("layers", "cells", "projection")):
            raise UserError(f"--init {options.init}: its shape is {first.options}, that of --model {options.model}")
        model.load_state_dict(first.state_dict())
        meta |= {"init": options.init.name, "updates": first.meta["updates"]}
    plan = passes(
        options.epochs, options.sub_epochs if options.unlabelled else 0, options.labelled_tail, options.labelled_passes
    )  # fmt: skip
    trainer = Trainer(
        model, sets, plan, options.train, step.out, options.seed, options.threads,
        {"soft": Hard()} if options.true_labels else None, trained=options.init is not None,
    )  # fmt: skip
    log.info("%d parameters, %d updates in %d passes", model.num_parameters, trainer.updates, len(plan))
    finish(trainer, log_priors(sets.labelled, senones), meta)


def _check(options: Options) -> None:
    """Raise UserError where speech and what is to be learnt from it do not go together."""
    taught = [bool(options.targets), bool(options.true_labels)]
    if bool(options.unlabelled) != any(taught) or all(taught):
        raise UserError("--unlabelled goes with --targets, or with --true-labels for the oracle")
    if options.true_labels and len(options.unlabelled) > 1:
        raise UserError(f"--true-labels {options.true_labels}: they are of one manifest, not of {options.unlabelled}")


def _check_tree(options: Options, tree: Tree, described: dict) -> None:
    """Raise UserError where the targets are of another tree than the labels."""
    if described["senones"] != tree.num_senones:
        raise UserError(
            f"{options.targets}: targets over {described['senones']} senones, {options.labels} has {tree.num_senones}"
        )
    if described.get("tree") not in (None, tree.fingerprint):
        raise UserError(
            f"{options.targets}: targets of the tree {described['tree']}, {options.labels} has {tree.fingerprint}. "
            "Train the teacher on these labels, and let it write targets anew."
        )


def _unlabelled(options: Options, targets: TargetReader | None) -> SpeechData:
    if options.true_labels:
        return SpeechData.labelled(options.unlabelled[0], options.true_labels)
    return SpeechData(options.unlabelled, Normaliser.load(options.labelled.parent / "normaliser.json"), None, targets)


def _meta(options: Options, sets: Sets, targets: TargetReader | None) -> dict:
    meta = {
        "labelled_hours": sets.labelled.original_seconds / 3600,
        "unlabelled_hours": sets.unlabelled.seconds / 3600 if sets.unlabelled else 0.0,
        "tree": Tree.load(options.labels / "tree.json").fingerprint,
        "seed": options.seed,
    }
    if options.true_labels:
        return meta | {"teacher": None, "supervision": "true labels"}
    if targets is None:
        return meta | {"teacher": None, "supervision": None}
    kept = targets.describe["k"] if options.k is None else options.k
    return meta | {
        "teacher": targets.describe["teacher"], "supervision": f"{targets.describe['supervision']}, k = {kept}",
        "target_cpu_s_per_hour": _cost(options.targets),
    }  # fmt: skip


def _cost(folders: list[Path]) -> float | None:
    """CPU seconds that the targets of an hour of speech took, if steps/make_targets.py wrote all of them."""
    reports = [folder.parent / "report.json" for folder in folders]
    if not all(report.exists() for report in reports):
        return None
    costs = [read_json(report)[folder.name] for report, folder in zip(reports, folders, strict=True)]
    hours = sum(cost["hours"] for cost in costs)
    return sum(cost["cpu_s_per_hour"] * cost["hours"] for cost in costs) / hours


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("labelled", "dev", "labels", "unlabelled", "targets", "true_labels", "init"),
        unfingerprinted=("threads",),
        besides=lambda options: depends(options.train.parallel),
        torchrun=True,
    )
