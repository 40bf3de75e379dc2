#!/usr/bin/env python3
"""Train an acoustic model: a teacher or a student, on labels alone or on soft targets too.

e.g.: steps/train.py --config conf/student.yaml --labelled data/feats/labelled.jsonl.gz \\
          --dev data/feats/dev.jsonl.gz --labels exp/tree --out exp/student
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse.typing import PositiveInt

from understudy import models
from understudy.features import Normaliser
from understudy.features.logmel import NUM_MELS
from understudy.lang.tree import Tree
from understudy.models import AcousticModel, ModelOptions
from understudy.shar import SharData
from understudy.stage import Step, UserError, fingerprint, log, main
from understudy.targets import TargetReader
from understudy.targets.cost import cpu_seconds_per_hour
from understudy.train.criteria import Hard
from understudy.train.data import Speech, SpeechData
from understudy.train.loop import Sets, Trainer, TrainOptions, finish, log_priors
from understudy.train.schedule import Pass, passes
from understudy.train.way import depends

# In which a model must be as the one that it starts from.
SHAPE = ("layers", "cells", "projection", "bidirectional", "centred", "delay")


@dataclass
class Options:
    """Stages 4, 7 and 8: training."""

    labelled: Path
    """cut manifest with features, or a stream (steps/make_shar.py)"""
    dev: Path
    """manifest for validation"""
    labels: Path
    """folder of senone labels (steps/make_tree.py or steps/realign.py)"""
    out: Path
    """folder of the model"""
    unlabelled: list[Path] | None = None
    """manifests to learn from soft targets, or a stream that has them with it"""
    targets: list[Path] | None = None
    """folders of soft targets of those (and of the labelled one where train.share is above 0)"""
    true_labels: Path | None = None
    """instead of targets, senone labels of the unlabelled manifest (steps/realign.py): the oracle, for comparison"""
    init: Path | None = None
    """model folder to start from"""
    transfer: Path | None = None
    """model folder of another corpus, or tree, to take the layers of; the output layer is new"""
    epochs: int = 20
    """passes over all speech"""
    sub_epochs: PositiveInt = 4
    """parts of the unlabelled speech, each followed by labelled speech"""
    labelled_passes: float = 1.0
    """passes over the labelled speech after each sub-epoch; 0.5: a half of it, the other half after the next"""
    labelled_tail: int = 0
    """labelled passes at the end"""
    k: int | None = None
    """use only so many of the targets' senones (1: the teacher's best one, a hard label)"""
    pool: PositiveInt = 8
    """shards of a stream whose cuts are shuffled together, and are in memory"""
    model: ModelOptions = field(default_factory=ModelOptions)
    """shape"""
    train: TrainOptions = field(default_factory=TrainOptions)
    """training"""
    seed: int = 1
    threads: PositiveInt = 2
    """each computes on its part of a batch, with one core (on a GPU, and at each of several ranks: one)"""

    def __post_init__(self) -> None:
        """Raise UserError for what does not go together."""
        _check(self)
        _plan(self)


def run(options: Options, step: Step) -> None:
    """Set up data and model, train, write the model folder."""
    tree = Tree.load(options.labels / "tree.json")
    sets = _sets(options, tree)
    model, meta = AcousticModel(options.model, 3 * NUM_MELS, tree.num_senones), _meta(options, sets)
    if options.init:
        first = models.load(options.init)
        _check_init(options, first, model, tree)
        model.load_state_dict(first.state_dict())
        meta |= {"init": options.init.name, "updates": first.meta["updates"]}
        if hours := first.meta.get("transferred_hours"):
            meta["transferred_hours"] = hours
    elif options.transfer:
        meta["transferred_hours"] = _transfer(options, model)
    plan = _plan(options)
    trainer = Trainer(
        model, sets, plan, options.train, step.out, options.seed, options.threads,
        {"soft": Hard()} if options.true_labels else None, trained=options.init is not None,
    )  # fmt: skip
    log.info("%d parameters, %d updates in %d passes", model.num_parameters, trainer.updates, len(plan))
    finish(trainer, log_priors(sets.labelled, tree.num_senones), meta)


def _check(options: Options) -> None:
    """Raise UserError where speech and what is to be learnt from it do not go together."""
    if options.init and options.transfer:
        raise UserError("--init and --transfer: a model starts from one other; give one of them")
    if options.unlabelled and (streams := [path for path in options.unlabelled if path.is_dir()]):
        if len(options.unlabelled) > 1 or options.targets or options.true_labels:
            raise UserError(f"--unlabelled {streams[0]}: a stream has its targets with it, and stands alone")
        return
    taught = [bool(options.targets), bool(options.true_labels)]
    if bool(options.unlabelled) != any(taught) or all(taught):
        raise UserError("--unlabelled goes with --targets, or with --true-labels for the oracle")
    if options.true_labels and len(options.unlabelled) > 1:
        raise UserError(f"--true-labels {options.true_labels}: they are of one manifest, not of {options.unlabelled}")


def _plan(options: Options) -> list[Pass]:
    sub_epochs = options.sub_epochs if options.unlabelled else 0
    return passes(options.epochs, sub_epochs, options.labelled_tail, options.labelled_passes)


def _check_tree(options: Options, tree: Tree, described: dict) -> None:
    """Raise UserError where the targets are of another tree than the labels."""
    where = f"{options.targets or options.unlabelled}"
    if described["senones"] != tree.num_senones:
        raise UserError(
            f"{where}: targets over {described['senones']} senones, {options.labels} has {tree.num_senones}"
        )
    if described.get("tree") not in (None, tree.fingerprint):
        raise UserError(
            f"{where}: targets of the tree {described['tree']}, {options.labels} has {tree.fingerprint}. "
            "Train the teacher on these labels, and let it write targets anew."
        )


def _sets(options: Options, tree: Tree) -> Sets:
    targets = TargetReader(options.targets, options.k) if options.targets else None
    if targets is not None:
        _check_tree(options, tree, targets.describe)
    sets = Sets(
        _labelled(options, targets, tree),
        SpeechData.labelled(options.dev, options.labels),
        _unlabelled(options, targets, tree) if options.unlabelled else None,
    )
    if options.train.share and not sets.labelled.is_taught():
        raise UserError(
            f"--train.share {options.train.share:g}: none of {options.labelled} has soft targets. Let the teacher "
            "write them (steps/make_targets.py) and name them among --targets, or leave it 0."
        )
    return sets


def _shape(model: AcousticModel) -> dict:
    return {**{name: getattr(model.options, name) for name in SHAPE}, "inputs": model.inputs}


def _transfer(options: Options, model: AcousticModel) -> float:
    """Take over another corpus's layers. Returns the hours of labelled speech that they learnt from.

    Raises:
        UserError: they have another shape.
    """
    first = models.load(options.transfer)
    if different := fingerprint.differences(_shape(first), _shape(model)):
        raise UserError(
            f"--transfer {options.transfer}: not the layers of such a model as is to be trained "
            f"({'; '.join(different)}). Give --model as it was trained."
        )
    own = ("output.", "log_priors")
    layers = {name: value for name, value in first.state_dict().items() if not name.startswith(own)}
    model.load_state_dict({**model.state_dict(), **layers})
    return first.meta["labelled_hours"] + first.meta.get("transferred_hours", 0.0)


def _check_init(options: Options, first: AcousticModel, model: AcousticModel, tree: Tree) -> None:
    """Raise UserError where the model to start from has another shape, or other senones."""
    theirs = _shape(first) | {"senones": first.senones, "tree": first.meta.get("tree", tree.fingerprint)}
    ours = _shape(model) | {"senones": model.senones, "tree": tree.fingerprint}
    if different := fingerprint.differences(theirs, ours):
        raise UserError(
            f"--init {options.init}: not such a model as is to be trained ({'; '.join(different)}). Give --model as it "
            "was trained, and --labels of its tree."
        )


def _labelled(options: Options, targets: TargetReader | None, tree: Tree) -> Speech:
    if not options.labelled.is_dir():
        return SpeechData.labelled(options.labelled, options.labels, targets)
    data = _stream(options.labelled, options, tree)
    if data.tree != tree.fingerprint:
        raise UserError(f"{options.labelled}: labels of the tree {data.tree}, {options.labels} has {tree.fingerprint}")
    return data


def _stream(folder: Path, options: Options, tree: Tree) -> SharData:
    data = SharData(folder, options.k, options.pool)
    if data.described:
        _check_tree(options, tree, data.described)
    return data


def _unlabelled(options: Options, targets: TargetReader | None, tree: Tree) -> Speech:
    if options.true_labels:
        return SpeechData.labelled(options.unlabelled[0], options.true_labels)
    at = options.labelled if options.labelled.is_dir() else options.labelled.parent
    normaliser = Normaliser.load(at / "normaliser.json")
    if not options.unlabelled[0].is_dir():
        return SpeechData(options.unlabelled, normaliser, None, targets)
    data = _stream(options.unlabelled[0], options, tree)
    data.normaliser = normaliser
    return data


def _meta(options: Options, sets: Sets) -> dict:
    meta = {
        "labelled_hours": sets.labelled.original_seconds / 3600,
        "unlabelled_hours": sets.unlabelled.original_seconds / 3600 if sets.unlabelled else 0.0,
        "tree": Tree.load(options.labels / "tree.json").fingerprint,
        "seed": options.seed,
    }
    if options.true_labels:
        return meta | {"teacher": None, "supervision": "true labels"}
    taught = sets.unlabelled or sets.labelled
    if taught.described is None:
        return meta | {"teacher": None, "supervision": None}
    kept = taught.described["k"] if options.k is None else options.k
    cost = cpu_seconds_per_hour(options.targets) if options.targets else taught.target_cost
    return meta | {
        "teacher": taught.described["teacher"], "supervision": f"{taught.described['supervision']}, k = {kept}",
        "target_cpu_s_per_hour": cost,
    }  # fmt: skip


if __name__ == "__main__":
    main(
        Options,
        run,
        inputs=("labelled", "dev", "labels", "unlabelled", "targets", "true_labels", "init", "transfer"),
        unfingerprinted=("threads",),
        besides=lambda options: depends(options.train.parallel),
        torchrun=True,
    )
